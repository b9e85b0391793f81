import type { Type } from '@nestjs/common'

export class HttpAdapterHost {
  readonly httpAdapter: { use(handler: unknown): unknown }
}

export class Reflector {
  getAll(key: string, places: ((() => void) | Type)[]): (object | undefined)[]
}
