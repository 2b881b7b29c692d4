import { cruise, type ICruiseOptions, type ICruiseResult, type IForbiddenRuleType } from 'dependency-cruiser';

/**
 * Which way imports may go: main → cli, shop, app → demo, storefront → modules → kernel. A module imports its own files,
 * the kernel, the faces of the modules that MODULES lists for it, and any module's `events.ts`. A face is
 * `index.ts`; the catalogue has a second one, `staging.ts`, for the process that only reads a feed.
 */

/** Each module with the modules whose face it may use. The list is acyclic, and the only place that says so. */
export const MODULES: Readonly<Record<string, readonly string[]>> = {
  accounts: [],
  catalogue: ['accounts'],
  imports: ['accounts', 'catalogue'],
  orders: ['accounts', 'catalogue'],
  notifications: ['accounts'],
  realtime: ['accounts'],
  jobs: ['accounts'],
};

/** Tests may reach where they like; they are not part of what ships. */
const SHIPPED = '(?<!\\.test)\\.ts$';

const forbidden: IForbiddenRuleType[] = [
  {
    name: 'no-cycles',
    severity: 'error',
    from: {},
    to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
  },
  {
    name: 'kernel-knows-no-business',
    severity: 'error',
    from: { path: '^src/kernel/.*' },
    to: { path: '^src/(?!kernel/)' },
  },
  {
    name: 'arrows-do-not-turn-back-into-storefront',
    severity: 'error',
    from: { path: '^src/modules/' },
    to: { path: '^src/(?!modules/|kernel/)' },
  },
  {
    name: 'storefront-reads-faces',
    severity: 'error',
    from: { path: `^src/(storefront|demo)/.*${SHIPPED}` },
    to: { path: '^src/modules/[^/]+/(?!(index|events|schemas)\\.ts$)' },
  },
  {
    name: 'storefront-is-below-the-app',
    severity: 'error',
    from: { path: '^src/(storefront|demo)/' },
    to: { path: '^src/(app|main|shop|cli)' },
  },
  {
    name: 'sources-never-import-tests',
    severity: 'error',
    from: { path: SHIPPED, pathNot: '^src/kernel/testing/|^tests/|^bench/' },
    to: { path: '\\.test\\.ts$|^src/kernel/testing/|^tests/' },
  },
  ...Object.entries(MODULES).map(([module, allowed]): IForbiddenRuleType => {
    const others = Object.keys(MODULES).filter((other) => other !== module);
    return {
      name: `${module}-uses-only-the-faces-listed`,
      severity: 'error',
      from: { path: `^src/modules/${module}/.*${SHIPPED}` },
      to: {
        path: others.map((other) => `^src/modules/${other}/`),
        pathNot: [
          ...allowed.map((other) => `^src/modules/${other}/(index|staging)\\.ts$`),
          '^src/modules/[^/]+/events\\.ts$',
        ],
      },
    };
  }),
  {
    name: 'every-module-is-listed',
    severity: 'error',
    from: {},
    to: { path: `^src/modules/(?!(${Object.keys(MODULES).join('|')})/)` },
  },
];

export type Boundaries = { modules: number; violations: string[] };

/** Reads every import below `folders` (relative to `root`) and answers how many files it saw and what they break. */
export async function checkBoundaries(root: string, folders: string[] = ['src']): Promise<Boundaries> {
  const options: ICruiseOptions = {
    baseDir: root,
    ruleSet: { forbidden },
    validate: true,
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.mjs', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node'],
    },
  };
  const { output } = await cruise(folders, options);
  const { modules, summary } = output as ICruiseResult;
  return {
    modules: modules.filter((module) => module.source.startsWith('src/')).length,
    violations: summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`),
  };
}
