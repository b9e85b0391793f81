/** The headers of a request, as an adapter hands them in. */
export interface RequestHeaders {
  /** A header by its name, in any case. */
  header(name: string): string | undefined
}

/** A request as an adapter hands it in: only what cannot be had otherwise, and nothing decided yet. */
export interface AuthRequest extends RequestHeaders {
  readonly method: string
  /** Below the path at which the routes are mounted, `/login` for example. Only `/prefetch` reads a query behind it. */
  readonly path: string
  /** The body as it arrives, or what a body parser made of it before. */
  readonly body: AsyncIterable<Uint8Array | string> | { readonly parsed: unknown } | undefined
}

/** What an adapter is to send, as it is. */
export interface AuthResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
  /** Set when the request was not read to its end, so that an HTTP/1 connection must not be used again. */
  readonly closes: boolean
}
