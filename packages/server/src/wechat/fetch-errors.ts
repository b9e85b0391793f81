import { systemCodeOf } from '../redact.js'

// A `fetch` of the app's own does not tell at which point it failed. Its errors do, if they are Node's.

/**
 * Whether it says that no connection was made. It can tell by the system call that failed,
 * which Node names, and by codes that nothing but a connection that is being made has. Of an `AggregateError`, one for
 * each address of a host, all must say so.
 */
export function saysNeverSent(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false
  if ('errors' in error && Array.isArray(error.errors) && error.errors.length > 0) {
    return error.errors.every(saysNeverSent)
  }
  if ('syscall' in error && connectingCalls.has(error.syscall)) return true
  if ('code' in error && typeof error.code === 'string') return isConnectingCode(error.code)
  return 'cause' in error && saysNeverSent(error.cause)
}

/** Whether it says that the connection ended while the answer was awaited. */
export function saysLost(error: unknown): boolean {
  const code = systemCodeOf(error)
  return !saysNeverSent(error) && code !== undefined && lostCodes.has(code)
}

const lostCodes: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'UND_ERR_SOCKET',
])

const connectingCalls: ReadonlySet<unknown> = new Set(['connect', 'getaddrinfo', 'bind'])

// A certificate is looked at in the handshake only. ECONNRESET, EPROTO, ETIMEDOUT and the like may come later too.
const connectingCodes: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'ENETUNREACH',
  'ENETDOWN',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'EADDRNOTAVAIL',
  'EAFNOSUPPORT',
  'UND_ERR_CONNECT_TIMEOUT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'ERR_TLS_HANDSHAKE_TIMEOUT',
  'CERT_HAS_EXPIRED',
])

// OpenSSL's names of what may be wrong with a certificate or its chain.
const connectingCode =
  /^(EAI_\w+|CERT_\w+|CRL_\w+|DEPTH_ZERO_\w+|SELF_SIGNED_\w+|UNABLE_TO_(GET|VERIFY|DECRYPT|DECODE)_\w+|ERROR_IN_CERT_\w+|INVALID_(CA|PURPOSE)|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH)$/

const isConnectingCode = (code: string) => connectingCodes.has(code) || connectingCode.test(code)
