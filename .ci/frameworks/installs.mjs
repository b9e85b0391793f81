// What the frameworks part of `npm run long` is run with: each group an install of its own, in the cache.

/** By group; `name@version` or `alias@npm:name@version`. */
export const installs = {
  frameworks: [
    'koa2@npm:koa@2.16.4',
    'koa@3.3.0',
    '@types/koa@3.0.3',
    '@koa/router@15.7.0',
    'koa-bodyparser@4.4.1',
    '@types/koa-bodyparser@4.3.13',
    'koa-mount@4.2.0',
    'koa-ratelimit@6.0.0',
    '@types/koa-ratelimit@5.0.5',
    '@types/koa-mount@4.0.5',
    'fastify@5.12.8',
    '@fastify/rate-limit@11.2.0',
    'hono@4.13.19',
    '@hono/node-server@2.1.9',
    'hono-rate-limiter@0.5.4',
    'express@5.3.0',
    'express4@npm:express@4.21.2',
    '@types/express@5.0.6',
    'express-rate-limit@8.7.5',
    '@types/node@20.19.0',
    'typescript@5.9.3',
  ],
  'nest-11': nest('11', '11.2.10'),
  'nest-12': nest('12', '12.5.1'),
  h3: ['h3@1.15.11', 'typescript@5.9.3', '@types/node@20.19.0'],
  'h3-2': ['h3@2.0.8', 'typescript@5.9.3', '@types/node@20.19.0'],
  nitro: ['nitropack@2.13.6', 'h3@1.15.11', 'typescript@5.9.3', '@types/node@20.19.0'],
  egg: ['egg@4.0.10', 'typescript@5.9.3', '@types/node@20.19.0'],
  midway: [
    '@midwayjs/koa@4.0.0',
    '@midwayjs/core@4',
    '@midwayjs/bootstrap@4.2.3',
    '@midwayjs/logger@4',
    'typescript@5.9.3',
    '@types/node@20.19.0',
  ],
  think: ['thinkjs@4.0.0', 'typescript@5.9.3', '@types/node@20.19.0'],
  next: [
    'next@16.4.6',
    'react@19',
    'react-dom@19',
    '@types/react@19',
    'typescript@5.9.3',
    '@types/node@20.19.0',
  ],
}

function nest(major, version) {
  return [
    `@nestjs/common@${version}`,
    `@nestjs/core@${version}`,
    `@nestjs/platform-express@${major}`,
    `@nestjs/platform-fastify@${major}`,
    '@nestjs/throttler@6.7.1',
    'reflect-metadata@0.2.2',
    'rxjs@7.8.2',
    '@types/express@5.0.6',
    'typescript@5.9.3',
    '@types/node@20.19.0',
  ]
}
