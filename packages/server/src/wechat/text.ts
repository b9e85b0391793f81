/** An identifier or a key as WeChat writes them, and no longer than it could be. */
export const isText = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= 256
