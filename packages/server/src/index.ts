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
export type { Jwk } from './crypto/signing-keys.js'
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
} from './http/routes.js'
export type { PhoneInput } from './login/phone.js'
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
export type {
  Account,
  Device,
  Session,
  SessionRecord,
  SessionStore,
  StoreWarning,
} from './session.js'
export type { RevokeInput } from './sessions/sessions.js'
export { createMemoryStore, type MemoryStoreOptions } from './stores/memory.js'
export type {
  EncryptedData,
  OpenDataOptions,
  OpenDataReader,
  SignedData,
} from './user-info/open-data.js'
export type { AppCredentials } from './wechat/code2session.js'
export type { FetchLike, FetchResponse } from './wechat/http-client.js'
export type { WeChat } from './wechat/mini-program.js'
export type { OpenData } from './wechat/open-data.js'
export type { WeChatHealth } from './wechat/transport.js'
