export interface WireErrorMore {
  readonly reason?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** What a request is refused with. */
export class WireError extends Error {
  readonly status: number
  readonly error: string
  readonly more: WireErrorMore

  constructor(status: number, error: string, message: string, more: WireErrorMore = {}) {
    super(message)
    this.status = status
    this.error = error
    this.more = more
  }
}
