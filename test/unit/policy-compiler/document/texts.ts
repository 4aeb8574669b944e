/** YAML of an AuthorizationPolicy `a` without a spec. */
export const head = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: a}\n";
/** With this spec. */
export const authorization = (spec: string) => `${head}spec: ${spec}\n`;
/** With this one rule. */
export const rule = (text: string) => authorization(`{rules: [${text}]}`);
/** A PeerAuthentication `a` with this spec. */
export const peer = (spec: string) =>
  `apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: a}\nspec: ${spec}\n`;
/** A RequestAuthentication `a` with this one rule. */
export const jwt = (jwtRule: string) =>
  `apiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {name: a}\nspec: {jwtRules: [${jwtRule}]}\n`;
/** A WorkloadEntry `a` with this spec. */
export const workload = (spec: string) =>
  `apiVersion: networking.istio.io/v1\nkind: WorkloadEntry\nmetadata: {name: a}\nspec: ${spec}\n`;
/** A ServiceEntry `a` with this spec. */
export const service = (spec: string) =>
  `apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: a}\nspec: ${spec}\n`;
/** An object `a` of any kind without a spec. */
export const object = (apiVersion: string, kind: string) =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: a}\n`;
