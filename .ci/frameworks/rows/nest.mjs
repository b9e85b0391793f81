// Nest on Express and on Fastify: by its module, and by decorators that are given an auth. Decorators are called as
// functions here, because Node does not know them.
import 'reflect-metadata'
import { All, Catch, Controller, Get, HttpCode, Module, Post, Req } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import * as nest from '@wxlogin/server/nest'
import { map } from 'rxjs'
import { sizeOf } from '../serve.mjs'

const { authRoutes, requireAuth, sessionOf, maybeSessionOf } = nest
const { Authenticated, CurrentSession, WxLoginModule } = nest

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
