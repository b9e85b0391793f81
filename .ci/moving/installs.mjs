// What backends that exist are made of: the frameworks, ORMs and drivers that the guide and the recipes speak of.

/** By group, each an install of its own, in the cache. */
export const installs = {
  moving: [
    '@nestjs/common@10.4.22',
    '@nestjs/core@10.4.22',
    '@nestjs/jwt@10.2.0',
    '@nestjs/passport@10.0.3',
    '@nestjs/platform-express@10.4.22',
    '@nestjs/typeorm@10.0.2',
    '@types/express@5.0.6',
    '@types/jsonwebtoken@9.0.10',
    '@types/node@20.19.0',
    '@types/passport-jwt@4.0.1',
    '@types/pg@8.23.1',
    'drizzle-orm@0.45.4',
    'express@5.3.0',
    'jsonwebtoken@9.0.3',
    'kysely@0.28.18',
    'mysql2@3.24.6',
    'passport@0.7.0',
    'passport-jwt@4.0.1',
    'pg@8.23.1',
    'reflect-metadata@0.2.2',
    'rxjs@7.8.2',
    'sequelize@6.37.8',
    'typeorm@0.3.31',
    'typescript@5.9.3',
  ],
}
