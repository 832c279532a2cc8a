import { accessRoles } from './access-roles.ts';
import { evidenceReference } from './evidence-reference.ts';
import { guideCoverage } from './guide-coverage.ts';
import { builtinRules } from './rule-files.ts';
import { troubleshootingGuide } from './troubleshooting.ts';

/** Files of the project that are written from the code and the rules, by their path. */
export function generatedFiles(): ReadonlyMap<string, string> {
  return new Map([
    ['docs/evidence.md', evidenceReference()],
    ['docs/TROUBLESHOOTING.md', troubleshootingGuide(builtinRules(), guideCoverage())],
    ...accessRoles().map(({ name, text }) => [`deploy/rbac/${name}`, text] as const),
  ]);
}
