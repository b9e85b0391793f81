// node smoke.mjs <entry>…: in a project that a package manager has installed. Everything loads in both ways, and a phone
// logs in through each framework that stands beside.
import 'reflect-metadata'
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { createAuth } from '@wxlogin/server'
import * as onExpress from '@wxlogin/server/express'
import * as onFastify from '@wxlogin/server/fastify'
import * as onHono from '@wxlogin/server/hono'
import * as onKoa from '@wxlogin/server/koa'
import { WxLoginModule } from '@wxlogin/server/nest'
import { createSqlStore } from '@wxlogin/server/sql'
import { createFakeWeChat } from '@wxlogin/server/testing'
import express from 'express'
import Fastify from 'fastify'
import { Hono } from 'hono'
import Koa from 'koa'
import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'
import { http } from 'msw'
import { setupServer } from 'msw/node'

const require = createRequire(import.meta.url)
for (const entry of process.argv.slice(2)) {
  await import(entry)
  require(entry)
}

const wechat = createFakeWeChat()
const emulated = setupServer(...wechat.handlers(http))
emulated.listen({ onUnhandledRequest: 'bypass' })
const auth = createAuth({
  apps: [wechat.app],
  secret: 'h7Qm2xV9cKp4Tz8wRb3yLn6sDf1gJa5u',
  fetch: (...args) => globalThis.fetch(...args),
})
const bodyOf = (who) => JSON.stringify({ app_id: wechat.app.appId, code: wechat.codeFor(who) })
const headers = () => ({ 'content-type': 'application/json', 'idempotency-key': randomUUID() })

async function expectLogin(framework, server) {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  await loginAt(framework, `http://127.0.0.1:${server.address().port}`)
  server.close()
}

async function loginAt(framework, url) {
  const request = { method: 'POST', headers: headers(), body: bodyOf(framework) }
  const response = await fetch(`${url}/wx/login`, request)
  assert.equal(response.status, 200, `${framework}: ${await response.clone().text()}`)
  assert.equal(typeof (await response.json()).access_token, 'string', framework)
}

const onApp = express()
onApp.use('/wx', onExpress.authRoutes(auth))
await expectLogin('express', createServer(onApp))

const koa = new Koa()
koa.use(onKoa.authRoutes(auth, { basePath: '/wx' }))
await expectLogin('koa', createServer(koa.callback()))

const fastify = Fastify()
await fastify.register(onFastify.authRoutes(auth), { prefix: '/wx' })
await loginAt('fastify', await fastify.listen({ port: 0, host: '127.0.0.1' }))
await fastify.close()

const hono = new Hono()
hono.use('/wx/*', onHono.authRoutes(auth))
const answer = await hono.request('/wx/login', {
  method: 'POST',
  headers: headers(),
  body: bodyOf('hono'),
})
assert.equal(answer.status, 200, `hono: ${await answer.text()}`)

class App {}
Module({ imports: [WxLoginModule.forRoot({ auth, basePath: '/wx' })] })(App)
const nest = await NestFactory.create(App, { logger: false })
await nest.listen(0, '127.0.0.1')
await loginAt('nest', await nest.getUrl())
await nest.close()

const kysely = new Kysely({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (database) => new SqliteIntrospector(database),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
})
await createSqlStore(kysely, { dialect: 'sqlite' }).migrate()

emulated.close()
await auth.close()
assert.equal(wechat.calls.length, 5)
console.log('every entry loads, and a phone logs in on every framework')
process.exit()
