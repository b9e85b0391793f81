import {
  type ArgumentsHost,
  applyDecorators,
  type CanActivate,
  Catch,
  createParamDecorator,
  type DynamicModule,
  type ExceptionFilter,
  type ExecutionContext,
  type FactoryProvider,
  HttpException,
  Inject,
  Logger,
  Module,
  type ModuleMetadata,
  SetMetadata,
  UseFilters,
  UseGuards,
} from '@nestjs/common'
import { HttpAdapterHost, Reflector } from '@nestjs/core'
import type { Auth } from '../auth.js'
import type { AuthError } from '../errors.js'
import { checkGuardOptions, type GuardOptions } from '../guard-options.js'
import { jsonText } from '../json-text.js'
import type { AuthRefusal, AuthResponse } from '../request.js'
import type { Session } from '../session.js'
import {
  attachedTo,
  attachSession,
  type Carrier,
  maybeSessionIn,
  sessionIn,
} from './attached-session.js'
import { type AuthRoutesOptions, checkAuth, mountGuard } from './mount.js'
import {
  credentialsOf,
  type NodeBodyRequest,
  type NodeRequest,
  type NodeResponse,
  send,
} from './node-message.js'
import { type NodeMiddleware, nodeRoutes } from './node-routes.js'

export type { AuthRoutesOptions } from './mount.js'
export type { Next, NodeBodyRequest, NodeRequest, NodeResponse } from './node-message.js'
export type { NodeMiddleware } from './node-routes.js'

/** By which Nest injects the `auth` of {@link WxLoginModule}: `@Inject(AUTH) auth: Auth`. */
export const AUTH: unique symbol = Symbol.for('wxlogin.auth')

const OPTIONS = Symbol.for('wxlogin.options')
const guardOptions = 'wxlogin:guard'

const carrier: Carrier = { name: 'the request', member: 'method' }

/** What {@link WxLoginModule} is made of. */
export interface WxLoginOptions<Claims extends object = object> extends AuthRoutesOptions {
  auth: Auth<Claims>
}

/** The same, when it is made of what Nest injects. */
export interface WxLoginAsyncOptions<Claims extends object = object> {
  imports?: NonNullable<ModuleMetadata['imports']>
  inject?: NonNullable<FactoryProvider['inject']>
  useFactory(...injected: never[]): WxLoginOptions<Claims> | Promise<WxLoginOptions<Claims>>
}

/**
 * The login routes for Nest 11 and 12 on Express and on Fastify, in front of guards, interceptors and filters. Needed
 * only without {@link WxLoginModule}. Other paths are passed on.
 *
 * @example
 * app.use(authRoutes(auth, { basePath: '/wx' }))
 */
export function authRoutes<Claims extends object>(
  auth: Auth<Claims>,
  options?: AuthRoutesOptions,
): NodeMiddleware<NodeBodyRequest> {
  return nodeRoutes(auth, options)
}

/**
 * Lets only requests with a valid access token through: a decorator of a controller or a handler, and a guard for
 * `@UseGuards` and `useGlobalGuards`. With {@link WxLoginModule}, `@Authenticated(options)` is the same without `auth`.
 * As a decorator it also brings the filter that answers, in front of yours.
 *
 * @example
 * @requireAuth(auth)
 * @Controller('orders')
 */
export function requireAuth<Claims extends object>(
  auth: Auth<Claims>,
  options?: GuardOptions<Claims>,
): MethodDecorator & ClassDecorator & CanActivate {
  mountGuard(auth, options)
  const guard: CanActivate = { canActivate: (context) => admit(context, auth, options) }
  return Object.assign(guardedBy(guard), guard)
}

/**
 * Lets only requests with a valid access token through, by the `auth` of {@link WxLoginModule}. The options of a
 * controller hold for its handlers, as far as theirs do not say otherwise by the same name.
 */
export function Authenticated(options: GuardOptions = {}): MethodDecorator & ClassDecorator {
  checkGuardOptions(options)
  return applyDecorators((target: object, _name?: unknown, descriptor?: PropertyDescriptor) => {
    const place = descriptor?.value ?? target
    // Another one at this place, or on the controller that this one extends, goes on holding.
    SetMetadata(guardOptions, {
      ...new Reflector().get<GuardOptions>(guardOptions, place),
      ...options,
    })(place)
  }, guardedBy(AuthGuard))
}

/** The session of a request behind a guard; `undefined` for an anonymous one behind a guard with `optional`. */
export const CurrentSession: () => ParameterDecorator = createParamDecorator(
  (_data: unknown, context: ExecutionContext) => {
    const attached = attachedTo(requestOf(context))
    if (attached) return attached.session
    throw new TypeError('There is no session to inject; put @Authenticated() before the route')
  },
)

/** The session of a request behind `requireAuth(auth)`. Throws a `TypeError` if there is none. */
export function sessionOf<Claims extends object>(
  request: object,
  auth: Auth<Claims>,
): Session<Claims> {
  return sessionIn(carrier, request, auth)
}

/** The session of a request behind `requireAuth(auth, { optional: true })`, or `undefined` for an anonymous one. */
export function maybeSessionOf<Claims extends object>(
  request: object,
  auth: Auth<Claims>,
): Session<Claims> | undefined {
  return maybeSessionIn(carrier, request, auth)
}

/** The guard by itself, by the `auth` of {@link WxLoginModule}: for `APP_GUARD`. */
export class AuthGuard implements CanActivate {
  readonly #auth: Auth
  readonly #reflector: Reflector

  constructor(auth: Auth, reflector: Reflector) {
    this.#auth = auth
    this.#reflector = reflector
  }

  canActivate(context: ExecutionContext): Promise<boolean> {
    const places = [context.getClass(), context.getHandler()]
    const options = places.map((place) => this.#reflector.get<GuardOptions>(guardOptions, place))
    return admit(context, this.#auth, Object.assign({}, ...options))
  }
}

/** What a guard refuses with: whoever does not know {@link AuthFilter} sees the status and the body. */
class Refusal extends HttpException {
  readonly answer: AuthRefusal

  constructor(answer: AuthRefusal) {
    super(JSON.parse(answer.body), answer.status)
    this.answer = answer
  }
}

/** Every `AuthError`, whichever build it comes from. */
// biome-ignore lint/complexity/noStaticOnlyClass: Nest asks by instanceof
class AnyAuthError {
  static [Symbol.hasInstance](error: unknown): boolean {
    return Symbol.for('wxlogin.AuthError') in Object(error)
  }
}

/** Answers what a guard refuses, and each `AuthError` that a handler lets through, as the client expects it. */
export class AuthFilter implements ExceptionFilter {
  catch(error: Refusal | AuthError, host: ArgumentsHost): void {
    const http = host.switchToHttp()
    const answer = error instanceof Refusal ? error.answer : answerOf(error)
    const response: NodeResponse | FastifyReply = http.getResponse()
    if ('code' in response) {
      response.code(answer.status)
      response.headers(answer.headers)
      response.send(answer.body)
    } else send(http.getRequest<NodeRequest>(), response, answer)
  }
}

interface FastifyReply {
  code(status: number): unknown
  headers(headers: Readonly<Record<string, string>>): unknown
  send(body: string | undefined): unknown
}

/**
 * The login routes, and the `auth` for {@link Authenticated}, {@link AuthGuard} and `@Inject(AUTH)`. `basePath` is the
 * whole path, a global prefix included. Closes `auth` with the app.
 *
 * @example
 * imports: [WxLoginModule.forRoot({ auth, basePath: '/wx' })]
 */
export class WxLoginModule {
  readonly #options: WxLoginOptions
  readonly #host: HttpAdapterHost

  static forRoot<Claims extends object>(options: WxLoginOptions<Claims>): DynamicModule {
    checkAuth(() => 'WxLoginModule.forRoot({ auth })', options?.auth)
    return WxLoginModule.forRootAsync({ useFactory: () => options })
  }

  static forRootAsync<Claims extends object>({
    imports = [],
    inject = [],
    useFactory,
  }: WxLoginAsyncOptions<Claims>): DynamicModule {
    return {
      module: WxLoginModule,
      global: true,
      imports,
      providers: [
        {
          provide: OPTIONS,
          inject,
          useFactory: (...injected) => useFactory(...(injected as never[])),
        },
        {
          provide: AUTH,
          inject: [OPTIONS],
          useFactory: ({ auth }: WxLoginOptions<Claims>) => auth,
        },
      ],
      exports: [AUTH],
    }
  }

  constructor(options: WxLoginOptions, host: HttpAdapterHost) {
    this.#options = options
    this.#host = host
  }

  /** After the body parser, and before every route. */
  configure(): void {
    const { auth, ...options } = this.#options
    this.#host.httpAdapter.use(nodeRoutes(auth, options))
  }

  onModuleDestroy(): Promise<void> {
    return this.#options.auth.close()
  }
}

// As functions, because not every compiler knows decorators of parameters or writes down their types.
Inject(AUTH)(AuthGuard, undefined, 0)
Inject(Reflector)(AuthGuard, undefined, 1)
Inject(OPTIONS)(WxLoginModule, undefined, 0)
Inject(HttpAdapterHost)(WxLoginModule, undefined, 1)
Module({})(WxLoginModule)
Catch(Refusal, AnyAuthError)(AuthFilter)

function guardedBy(guard: CanActivate | typeof AuthGuard): MethodDecorator & ClassDecorator {
  return applyDecorators(UseGuards(guard), UseFilters(new AuthFilter()))
}

async function admit<Claims extends object>(
  context: ExecutionContext,
  auth: Auth<Claims>,
  options: GuardOptions<Claims> | undefined,
): Promise<boolean> {
  const request = requestOf(context)
  const { session, response } = await auth.guard(credentialsOf(request), options)
  if (response) throw new Refusal(response)
  attachSession(request, auth, session)
  return true
}

function requestOf(context: ExecutionContext): NodeRequest {
  return context.switchToHttp().getRequest()
}

function answerOf(error: AuthError): AuthResponse {
  const { status, headers, code, description, expose, reason, scope } = error
  // What is wrong with this server is for its operator.
  if (!expose) new Logger('@wxlogin/server').error(error)
  return {
    status,
    headers: {
      'cache-control': 'no-store',
      'content-type': 'application/json; charset=utf-8',
      ...headers,
    },
    body: jsonText({
      error: code,
      error_description: expose ? description : 'The server could not serve this request',
      reason,
      scope,
    }),
    closes: false,
  }
}
