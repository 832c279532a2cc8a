/**
 * The members of a module that was imported on demand. Of a CommonJS package, Node offers them by name, but a bundler
 * only under `default`.
 */
export function membersOf<Module extends object>(module: Module): Module {
  return 'default' in module ? (module.default as Module) : module;
}
