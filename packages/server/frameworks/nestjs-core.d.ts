import type { Type } from '@nestjs/common'

export class HttpAdapterHost {
  readonly httpAdapter: { use(handler: unknown): unknown }
}

export class Reflector {
  get<T>(key: string, place: (() => void) | Type): T
}
