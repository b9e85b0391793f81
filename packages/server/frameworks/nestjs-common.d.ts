export type Type = new (...args: never[]) => object
export type InjectionToken = string | symbol | Type

export interface FactoryProvider {
  provide: InjectionToken
  inject?: InjectionToken[]
  useFactory: (...injected: never[]) => unknown
}

export interface ModuleMetadata {
  imports?: (Type | DynamicModule | Promise<DynamicModule>)[]
}

export interface DynamicModule extends ModuleMetadata {
  module: Type
  global?: boolean
  providers?: (Type | FactoryProvider)[]
  exports?: InjectionToken[]
}

export interface ArgumentsHost {
  switchToHttp(): { getRequest<T>(): T; getResponse<T>(): T }
}

export interface ExecutionContext extends ArgumentsHost {
  getHandler(): () => void
  getClass(): Type
}

export interface CanActivate {
  canActivate(context: ExecutionContext): boolean | Promise<boolean>
}

export interface ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): void
}

export class HttpException extends Error {
  constructor(response: string | Record<string, unknown>, status: number)
}

export class Logger {
  constructor(context: string)
  error(message: unknown): void
}

type Decorator = MethodDecorator & ClassDecorator

export function applyDecorators(...decorators: (ClassDecorator | MethodDecorator)[]): Decorator
export function Catch(
  ...types: (Type | (abstract new (...args: never[]) => object))[]
): ClassDecorator
export function createParamDecorator<Data>(
  factory: (data: Data, context: ExecutionContext) => unknown,
): (...data: Data[]) => ParameterDecorator
export function Inject(token: InjectionToken): ParameterDecorator
export function Module(metadata: ModuleMetadata): ClassDecorator
export function SetMetadata(key: string, value: unknown): Decorator
export function UseFilters(...filters: ExceptionFilter[]): Decorator
export function UseGuards(...guards: (CanActivate | Type)[]): Decorator
