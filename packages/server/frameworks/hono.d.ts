export interface Env {
  Variables?: object
}

export interface Context<E extends Env = Env> {
  readonly req: {
    readonly raw: Request
    readonly url: string
    readonly routePath: string
    text(): Promise<string>
  }
  readonly var: E['Variables']
  set(name: string, value: unknown): void
}

export type MiddlewareHandler<E extends Env = Env> = (
  c: Context<E>,
  next: () => Promise<void>,
  // biome-ignore lint/suspicious/noConfusingVoidType: as Hono has it
) => Promise<Response | void>
