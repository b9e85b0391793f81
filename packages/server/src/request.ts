/** The headers of a request, as an adapter passes them in. */
export interface RequestHeaders {
  /** A header by its name, which is case-insensitive. */
  header(name: string): string | undefined
  /**
   * Whether it is a call of a cloud function (云函数): then the platform knows who makes it. Only an adapter of such
   * functions sets this.
   */
  readonly isFunctionCall?: boolean
  /**
   * The address that the request came from, as far as the framework knows it: behind a proxy the proxy's, unless the
   * framework was told which proxies to trust.
   */
  readonly ip?: string | undefined
}

/** How something arrived that is asked for. What the app itself calls came with nothing. */
export interface Arrival {
  /** In milliseconds since the epoch (default now). */
  readonly receivedMs?: number | undefined
  /** For the hooks alone. */
  readonly request?: RequestHeaders | undefined
}

/** A request as an adapter passes it in: no more than what is needed, with nothing decided yet. */
export interface AuthRequest extends RequestHeaders {
  readonly method: string
  /** Relative to where the routes are mounted, for example `/login`. Only `/prefetch` and `/device` read a query string. */
  readonly path: string
  /** The body as a stream, or what a body parser has made of it. */
  readonly body: AsyncIterable<Uint8Array | string> | { readonly parsed: unknown } | undefined
}

/** The response, for an adapter to send as it is. */
export interface AuthResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
  /** Whether the request was not read to its end, so that an HTTP/1 connection must not be reused. */
  readonly closes: boolean
}

/** An {@link AuthResponse} that tells a client about an error; it always has a body. */
export interface AuthRefusal extends AuthResponse {
  readonly body: string
}
