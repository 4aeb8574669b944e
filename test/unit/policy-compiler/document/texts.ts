/** The head of an AuthorizationPolicy as YAML, named `a`. */
export const head = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: a}\n";
export const authorization = (spec: string) => `${head}spec: ${spec}\n`;
export const rule = (text: string) => authorization(`{rules: [${text}]}`);
export const peer = (spec: string) =>
  `apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: a}\nspec: ${spec}\n`;
export const jwt = (jwtRule: string) =>
  `apiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {name: a}\nspec: {jwtRules: [${jwtRule}]}\n`;
export const workload = (spec: string) =>
  `apiVersion: networking.istio.io/v1\nkind: WorkloadEntry\nmetadata: {name: a}\nspec: ${spec}\n`;
export const service = (spec: string) =>
  `apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: a}\nspec: ${spec}\n`;
export const object = (apiVersion: string, kind: string) =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: a}\n`;
