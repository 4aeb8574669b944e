import { registerHooks } from "node:module";

/**
 * From now on whoever imports one of these modules of `ca/` gets the module beside it, in `test/support/ca/chaos/`; that one alone gets the real one. Both without their endings. To be called
 * in a module that is preloaded.
 */
export function wrapModules(wrappers: Readonly<Record<string, string>>): void {
  const urls = new Map(
    Object.entries(wrappers).map(([module, wrapper]) => [
      new URL(`../../../../ca/${module}.ts`, import.meta.url).href,
      new URL(`./${wrapper}.ts`, import.meta.url).href,
    ]),
  );
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const resolved = nextResolve(specifier, context);
      const wrapper = urls.get(resolved.url);
      return wrapper === undefined || context.parentURL === wrapper ? resolved : { ...resolved, url: wrapper };
    },
  });
}
