import type { FastifyInstance } from 'fastify';

/**
 * Which methods an address has. The router only says that a method and an address together lead nowhere; to answer 405
 * with what is allowed, the addresses are asked once more without the method.
 */
export function collectMethods(app: Pick<FastifyInstance, 'addHook'>): (path: string) => string[] {
  const routes: { pattern: string; matches: RegExp; methods: Set<string> }[] = [];
  app.addHook('onRoute', (route) => {
    // What answers preflights everywhere is no address.
    if (route.url === '*') return;
    const methods = [route.method].flat();
    const known = routes.find(({ pattern }) => pattern === route.url);
    if (known) for (const method of methods) known.methods.add(method);
    else routes.push({ pattern: route.url, matches: matcherOf(route.url), methods: new Set(methods) });
  });
  return (path) => {
    const found = routes.filter(({ matches }) => matches.test(path)).flatMap(({ methods }) => [...methods]);
    return [...new Set(found)].sort();
  };
}

/** A route's pattern, `/things/:key` or `/files/*`, as an expression over paths, with or without a slash at the end. */
function matcherOf(pattern: string): RegExp {
  const parts = pattern.split(/(:\w+|\*)/).map((part) => {
    if (part === '*') return '.*';
    return part.startsWith(':') ? '[^/]+' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('').replace(/\/$/, '')}/?$`);
}
