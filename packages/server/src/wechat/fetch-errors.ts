import { systemCodeOf } from '../redact.js'

// A foreign `fetch` does not tell at which point it failed, but the errors of Node and Bun do.

/**
 * Whether the error says that no connection was made: by the system call that failed, or by a code that occurs only while
 * connecting. All members of an `AggregateError`, one for each address of a host, must say so.
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

/** Whether the error says that the connection broke after it was made. */
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

// Certificates are checked in the handshake only. ECONNRESET, EPROTO and ETIMEDOUT may occur later too.
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

// OpenSSL's names for what may be wrong with a certificate or its chain.
const connectingCode =
  /^(EAI_\w+|CERT_\w+|CRL_\w+|DEPTH_ZERO_\w+|SELF_SIGNED_\w+|UNABLE_TO_(GET|VERIFY|DECRYPT|DECODE)_\w+|ERROR_IN_CERT_\w+|INVALID_(CA|PURPOSE)|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH)$/

const isConnectingCode = (code: string) => connectingCodes.has(code) || connectingCode.test(code)
