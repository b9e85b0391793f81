export type {
  AppKind,
  DeviceAnswer,
  DeviceRequestAnswer,
  ErrorBody,
  InvalidGrantReason,
  Json,
  MovedPhoneAnswer,
  PhoneAnswer,
  TokenAnswer,
} from '@wxlogin/shared'
export { type Auth, createAuth, type Health } from './auth.js'
export type { Jwk } from './crypto/signing-keys.js'
export { type SecretWeakness, weaknessOf } from './crypto/weak-secret.js'
export { AuthError, type AuthErrorCode, type AuthErrorOptions } from './errors.js'
export type {
  AuthEvent,
  BreakerEvent,
  DeviceAskedEvent,
  DeviceDecidedEvent,
  EndpointGroup,
  EvictedEvent,
  FailureEvent,
  ForgottenEvent,
  LoginEvent,
  LogoutEvent,
  MisconfiguredEvent,
  PhoneEvent,
  RefreshEvent,
  RevokedEvent,
  WarningEvent,
  WeChatEvent,
} from './events.js'
export type { GuardOptions } from './guard-options.js'
export {
  checkHookAnswer,
  type HookContext,
  type HookRequest,
  type LoginContext,
  type LoginDecision,
  type PhoneContext,
  type PhoneDecision,
  type PrefetchContext,
  type PreviousSession,
} from './hooks.js'
export type { GuardResult, OptionalGuardResult } from './http/guard.js'
export { lazyAuth } from './lazy-auth.js'
export type { CreateSessionInput } from './login/by-app.js'
export type { WXContext } from './login/cloud-function.js'
export type {
  DeviceDecisionInput,
  DeviceGrant,
  DevicePollInput,
  DeviceRequestInput,
  DeviceScene,
} from './login/device-grant.js'
export type { DeviceGrantSettings } from './login/device-option.js'
export type { LoginInput } from './login/login-by-code.js'
export type { PhoneInput } from './login/phone.js'
export type { AuthOptions } from './options.js'
export type { AuthRefusal, AuthRequest, AuthResponse, RequestHeaders } from './request.js'
export type {
  Account,
  Device,
  LoginMethod,
  Session,
  SessionRecord,
  SessionStore,
  StoreWarning,
} from './session.js'
export type { Credentials } from './sessions/authenticate.js'
export type { LegacyUser } from './sessions/legacy-tokens.js'
export type { LogoutInput } from './sessions/logout.js'
export type { RefreshInput } from './sessions/refresh.js'
export type { Revocation } from './sessions/revocation.js'
export type { RevokeInput } from './sessions/sessions.js'
export { createMemoryStore, type MemoryStoreOptions } from './stores/memory.js'
export type {
  EncryptedData,
  OpenDataOptions,
  OpenDataReader,
  SignedData,
} from './user-info/open-data.js'
export type { Sign } from './user-info/sign.js'
export type { TicketHolder, TicketOptions, Tickets } from './user-info/tickets.js'
export type { KeyOptions } from './user-info/user-keys.js'
export type {
  CreateVirtualPayment,
  VirtualPaymentArguments,
  VirtualPaymentData,
  VirtualPaymentInput,
} from './user-info/virtual-payment.js'
export type { ExchangedAccount } from './wechat/app-kind.js'
export type { Apps } from './wechat/apps.js'
export type { MiniProgramApp } from './wechat/code2session.js'
export type { AppCredentials } from './wechat/credentials.js'
export type { CustomApp } from './wechat/custom.js'
export type { FetchLike, FetchResponse } from './wechat/fetch-like.js'
export type { FileCallOptions, WeChatFile } from './wechat/files.js'
export type { AppEntry } from './wechat/kinds.js'
export type { WeChat } from './wechat/mini-program.js'
export type { OfficialAccountApp, OfficialAccountScope } from './wechat/official-account.js'
export type { OpenData } from './wechat/open-data.js'
export type { WeChatHealth } from './wechat/transport.js'
export type {
  PaymentEvent,
  PaymentNotification,
  PaymentOrder,
  VirtualPayment,
  VirtualPaymentOptions,
} from './wechat/virtual-payment.js'
export type { WebsiteApp } from './wechat/website.js'
export type { WeComApp } from './wechat/wecom.js'
export type { WxacodeOptions } from './wechat/wxacode.js'
