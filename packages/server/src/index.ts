export type {
  ErrorBody,
  InvalidGrantReason,
  Json,
  MovedPhoneAnswer,
  PhoneAnswer,
  TokenAnswer,
} from '@wxlogin/shared'
export {
  type Auth,
  type CreateSessionInput,
  type Credentials,
  createAuth,
  type GuardOptions,
  type GuardResult,
  type Health,
} from './auth.js'
export { AuthError, type AuthErrorCode, type AuthErrorOptions } from './errors.js'
export type {
  AuthEvent,
  BreakerEvent,
  EvictedEvent,
  FailureEvent,
  LoginEvent,
  LogoutEvent,
  MisconfiguredEvent,
  PhoneEvent,
  RefreshEvent,
  RevokedEvent,
  WarningEvent,
  WeChatEvent,
} from './events.js'
export type {
  AuthRequest,
  AuthResponse,
  LoginInput,
  LogoutInput,
  RefreshInput,
  RequestHeaders,
} from './http.js'
export type { EncryptedData, OpenDataOptions, OpenDataReader, SignedData } from './open-data.js'
export type {
  Apps,
  AuthOptions,
  LoginContext,
  LoginDecision,
  PhoneContext,
  PhoneDecision,
  PrefetchContext,
  PreviousSession,
  Revocation,
} from './options.js'
export type { PhoneInput } from './phone.js'
export { createMemoryStore, type MemoryStoreOptions } from './sessions/memory-store.js'
export type {
  Account,
  Device,
  Session,
  SessionRecord,
  SessionStore,
  StoreWarning,
} from './sessions/session.js'
export type { RevokeInput } from './sessions/sessions.js'
export type { Jwk } from './tokens/signing-keys.js'
export type { AppCredentials } from './wechat/code2session.js'
export type { FetchLike, FetchResponse } from './wechat/exchange.js'
export type { WeChat } from './wechat/mini-program.js'
export type { OpenData } from './wechat/open-data.js'
export type { WeChatHealth } from './wechat/transport.js'
