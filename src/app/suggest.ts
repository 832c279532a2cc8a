export { suggest } from '../checks/type-check.ts';
