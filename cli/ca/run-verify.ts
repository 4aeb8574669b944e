export type VerifyOptions = { bundle: string };
export async function verify(..._: unknown[]): Promise<void> {}
