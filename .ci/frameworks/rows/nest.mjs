// Nest on Express and on Fastify: by its module, and by decorators that are given an auth. Decorators are called as
// functions here, because Node does not know them.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import 'reflect-metadata'
import { All, Catch, Controller, Get, HttpCode, Module, Post, Req, UseGuards } from '@nestjs/common'
import { APP_GUARD, NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { AuthError, createAuth } from '@wxlogin/server'
import * as nest from '@wxlogin/server/nest'
import { signIn } from '@wxlogin/server/testing'
import { map } from 'rxjs'
import { sizeOf } from '../serve.mjs'

const { authRoutes, requireAuth, sessionOf, maybeSessionOf } = nest
const { Authenticated, AuthFilter, AuthGuard, AUTH, CurrentSession, WxLoginModule } = nest

/** Applies what would stand above a method, and before its parameters. */
function method(Class, name, decorators, ...parameters) {
  for (const decorate of decorators) {
    decorate(Class.prototype, name, Object.getOwnPropertyDescriptor(Class.prototype, name))
  }
  for (const [n, decorate] of parameters.entries()) decorate(Class.prototype, name, n)
}

const startOn =
  (Platform, way) =>
  async ({ auth, basePath, guarded }) => {
    const errors = []
    const guard = (options) =>
      way === 'module' ? Authenticated(options) : requireAuth(auth, options)

    class Routes {
      upload(request) {
        const stream = request.raw ? request.body : request
        return sizeOf(stream).then((bytes) => ({ bytes }))
      }
      unguarded(request) {
        return sessionOf(request, auth)
      }
    }
    method(Routes, 'upload', [Post('upload'), HttpCode(200), guard({})], Req())
    method(Routes, 'unguarded', [Get('unguarded')], Req())
    for (const { path, options, answer } of guarded) {
      const name = path.slice(1)
      Routes.prototype[name] = (session, request) => {
        if (maybeSessionOf(request, auth) !== session) throw new Error('@CurrentSession is another')
        return answer(session, request.body)
      }
      method(Routes, name, [All(path), HttpCode(200), guard(options)], CurrentSession(), Req())
    }
    Controller()(Routes)

    /** As many backends have one: it answers everything in its own words. */
    class CatchAll {
      catch(error, host) {
        const http = host.switchToHttp()
        const { method, originalUrl: url, body } = http.getRequest()
        const response = http.getResponse()
        const status = error.getStatus?.() ?? 500
        const answer = status === 404 ? { method, url, body } : { code: status, msg: 'wrapped' }
        if (status === 500) errors.push(error)
        const sent = status === 404 ? 200 : status
        if ('code' in response) response.code(sent).send(answer)
        else response.status(sent).json(answer)
      }
    }
    Catch()(CatchAll)

    class Wrapper {
      intercept(context, next) {
        const { headers } = context.switchToHttp().getRequest()
        return next.handle().pipe(map((data) => (headers['x-wrap'] ? { code: 0, data } : data)))
      }
    }

    const login =
      way === 'module'
        ? WxLoginModule.forRootAsync({
            inject: [],
            useFactory: async () => ({ auth, basePath }),
          })
        : undefined
    class App {}
    Module({ imports: login ? [login] : [], controllers: [Routes] })(App)

    const platform = new Platform()
    const app = await NestFactory.create(App, platform, { logger: false })
    if (platform instanceof FastifyAdapter) {
      platform
        .getInstance()
        .addContentTypeParser('multipart/form-data', (_request, payload, done) =>
          done(null, payload),
        )
    }
    if (way !== 'module') app.use(authRoutes(auth, { basePath }))
    app.useGlobalFilters(new CatchAll())
    app.useGlobalInterceptors(new Wrapper())
    await app.listen(0, '127.0.0.1')
    const server = app.getHttpServer()
    return {
      url: `http://127.0.0.1:${server.address().port}`,
      errors,
      close() {
        server.closeAllConnections()
        return app.close()
      },
    }
  }

export const variants = [
  ['Nest on Express', ExpressAdapter],
  ['Nest on Fastify', FastifyAdapter],
].flatMap(([name, Platform]) => [
  {
    name: `${name}, module`,
    section: 'Nest',
    start: startOn(Platform, 'module'),
    // Express has parsed by then.
    told: Platform === ExpressAdapter ? { hasParser: true } : {},
  },
  { name: `${name}, by hand`, section: 'Nest', start: startOn(Platform, 'hand') },
])

const newAuth = () =>
  createAuth({
    apps: [{ appId: 'wx0000000000000001', appSecret: 'd1f3a9c47be28056e1d4f7a2b9c83065' }],
    secret: 'h7Qm2xV9cKp4Tz8wRb3yLn6sDf1gJa5u',
    onEvent: () => undefined,
  })

class CatchEverything {
  catch(error, host) {
    const response = host.switchToHttp().getResponse()
    const answer = { code: error.getStatus?.() ?? 500, msg: 'wrapped' }
    if ('code' in response) response.code(answer.code).send(answer)
    else response.status(answer.code).json(answer)
  }
}
Catch()(CatchEverything)

/** An app with a global guard, on each platform. */
async function onEach(ask) {
  for (const Platform of [ExpressAdapter, FastifyAdapter]) {
    const auth = newAuth()
    class Routes {
      open(session) {
        return { userId: session?.userId ?? null }
      }
      closed(session) {
        return { userId: session.userId }
      }
      busy() {
        throw new AuthError('wechat_unavailable', 'WeChat is busy', { retryAfterSeconds: 7 })
      }
      expired() {
        throw new AuthError('invalid_token', 'The session has ended')
      }
      lines() {
        throw new AuthError('access_denied', 'two\u2028lines')
      }
    }
    const guest = Authenticated({ optional: true })
    method(Routes, 'open', [Get('open'), guest], CurrentSession())
    method(Routes, 'closed', [Get('closed')], CurrentSession())
    method(Routes, 'busy', [Get('busy'), guest])
    method(Routes, 'expired', [Get('expired'), guest])
    method(Routes, 'lines', [Get('lines'), guest])
    Controller()(Routes)

    const userId = (session) => ({ userId: session?.userId ?? null })
    const onlyStaff = Authenticated({ allow: ({ userId }) => userId === 'staff' })
    const fresh = Authenticated({ fresh: true })
    class Staff {}
    for (const [name, ...decorators] of [
      ['list'],
      ['fresh', fresh],
      ['guests', guest],
      ['all', Authenticated({ allow: () => true })],
    ]) {
      Staff.prototype[name] = (session) => userId(session)
      method(Staff, name, [Get(name), ...decorators], CurrentSession())
    }
    onlyStaff(Staff)
    Controller('staff')(Staff)
    class Night extends Staff {}
    fresh(Night)
    Controller('night')(Night)
    class Desk {}
    Desk.prototype.twice = (session) => userId(session)
    // As they stand above a handler: the last one is applied first.
    method(Desk, 'twice', [Get('twice'), onlyStaff, fresh], CurrentSession())
    Controller('staff')(Desk)
    class Admin {
      list() {
        return {}
      }
    }
    method(Admin, 'list', [Get('admin'), Authenticated({ fresh: true })])
    Authenticated({ allow: ({ userId }) => userId === '1' })(Admin)
    Controller()(Admin)
    class App {}
    Module({
      imports: [WxLoginModule.forRoot({ auth, basePath: '/wx' })],
      controllers: [Routes, Staff, Night, Desk, Admin],
      providers: [{ provide: APP_GUARD, useClass: AuthGuard }],
    })(App)
    const app = await NestFactory.create(App, new Platform(), { logger: false })
    app.useGlobalFilters(new CatchEverything(), new AuthFilter())
    await app.listen(0, '127.0.0.1')
    try {
      const { headers } = await signIn(auth, { openid: 'alice', userId: 7 })
      const text = async (path, sent = {}) => {
        const url = `http://127.0.0.1:${app.getHttpServer().address().port}${path}`
        const response = await fetch(url, { headers: { connection: 'close', ...sent } })
        return { status: response.status, headers: response.headers, body: await response.text() }
      }
      await ask({
        app,
        auth,
        headers,
        text,
        async get(path, sent) {
          const answer = await text(path, sent)
          return { ...answer, body: JSON.parse(answer.body) }
        },
      })
    } finally {
      await app.close()
    }
  }
}

export const extras = {
  'a guard for everything, and a route that opens itself': () =>
    onEach(async ({ get, headers }) => {
      assert.deepEqual((await get('/open')).body, { userId: null })
      assert.deepEqual((await get('/open', headers)).body, { userId: '7' })
      assert.deepEqual((await get('/closed', headers)).body, { userId: '7' })
    }),
  'a handler adds to the rules of its controller, and lifts none': () =>
    onEach(async ({ auth, get, headers }) => {
      assert.equal((await get('/admin', headers)).body.error, 'insufficient_scope')
      const admin = await signIn(auth, { openid: 'bob', userId: 1 })
      assert.equal((await get('/admin', admin.headers)).status, 200)
      await auth.sessions.revoke({ userId: 1 })
      assert.equal((await get('/admin', admin.headers)).body.error, 'invalid_token')
    }),
  'a global guard is answered by AuthFilter, which stands last': () =>
    onEach(async ({ get }) => {
      const refused = await get('/closed')
      assert.deepEqual([refused.status, refused.body.error], [401, 'invalid_token'])
      assert.equal(refused.headers.get('www-authenticate'), 'Bearer error="invalid_token"')
      assert.deepEqual((await get('/nowhere')).body, { code: 404, msg: 'wrapped' })
    }),
  'what a handler lets through is answered as on the wire': () =>
    onEach(async ({ get }) => {
      const busy = await get('/busy')
      assert.deepEqual([busy.status, busy.body.error], [503, 'wechat_unavailable'])
      assert.doesNotMatch(busy.body.error_description, /busy/)
      assert.ok(Number(busy.headers.get('retry-after')) >= 7)
      const expired = await get('/expired')
      assert.deepEqual([expired.status, expired.body.error], [401, 'invalid_token'])
      assert.equal(expired.headers.get('www-authenticate'), 'Bearer error="invalid_token"')
    }),
  // Most apps on Nest are CommonJS. Nest 12 is not, and only newer Nodes can require it.
  'CommonJS has the same names': async () => {
    const names = Object.keys(createRequire(import.meta.url)('@wxlogin/server/nest'))
    assert.deepEqual(names.sort(), Object.keys(nest).sort())
  },
  'what a handler throws has no line ends that phones cannot read': () =>
    onEach(async ({ text, headers }) => {
      const { status, body } = await text('/lines', headers)
      assert.equal(status, 403)
      assert.doesNotMatch(body, /[\u2028\u2029]/)
      assert.equal(JSON.parse(body).error_description, 'two\u2028lines')
    }),
  'a rule of a controller holds for handlers that have one of their own': () =>
    onEach(async ({ get, headers }) => {
      assert.equal((await get('/staff/list', headers)).status, 403)
      assert.equal((await get('/staff/fresh', headers)).status, 403)
      assert.equal((await get('/staff/twice', headers)).status, 403)
      assert.equal((await get('/staff/guests', headers)).status, 403)
      assert.deepEqual((await get('/staff/guests')).body, { userId: null })
      assert.deepEqual((await get('/staff/all', headers)).body, { userId: '7' })
      assert.equal((await get('/night/list', headers)).status, 403)
    }),
  'the module gives its auth to whoever asks': () =>
    onEach(async ({ app, auth }) => assert.equal(app.get(AUTH), auth)),
  'a guard that nobody called ends the start': async () => {
    class Routes {
      list() {
        return {}
      }
    }
    method(Routes, 'list', [Get(), UseGuards(requireAuth)])
    Controller()(Routes)
    class App {}
    Module({ controllers: [Routes] })(App)
    const started = NestFactory.create(App, new ExpressAdapter(), {
      logger: false,
      abortOnError: false,
    })
    await assert.rejects(started, /Write requireAuth\(auth\)/)
  },
  'wrong options end the start': async () => {
    assert.throws(() => WxLoginModule.forRoot({}), /WxLoginModule\.forRoot/)
    assert.throws(() => WxLoginModule.forRoot(), /WxLoginModule\.forRoot/)
    assert.throws(() => Authenticated({ alow: () => true }), /did you mean allow\?/)
    class App {}
    const login = WxLoginModule.forRoot({ auth: newAuth(), basepath: '/wx' })
    Module({ imports: [login] })(App)
    const app = await NestFactory.create(App, new ExpressAdapter(), { logger: false })
    await assert.rejects(app.init(), /did you mean basePath\?/)
  },
}
