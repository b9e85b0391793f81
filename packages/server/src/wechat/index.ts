export { AuthError, type AuthErrorCode, type AuthErrorOptions } from '../errors.js'
export type { BreakerEvent, MisconfiguredEvent, WarningEvent, WeChatEvent } from '../events.js'
export type { WeChatAnswer } from './answer.js'
export type { CallOptions } from './call.js'
export type { CodeSession } from './code2session.js'
export type { AppCredentials } from './credentials.js'
export type { FetchLike, FetchResponse } from './fetch-like.js'
export type { FileCallOptions, WeChatFile } from './files.js'
export type { WeChat } from './mini-program.js'
export {
  decryptOpenData,
  type OpenData,
  type OpenDataInput,
  type RawDataInput,
  verifyRawData,
} from './open-data.js'
export { signPayment } from './pay-sig.js'
export type { PhoneNumber } from './phone-number.js'
export type { ResetSessionKey, SessionKeyInput } from './session-key.js'
export { signSession } from './sign-session.js'
export type { AccessToken } from './stable-token.js'
export type { WeChatHealth } from './transport.js'
export type {
  CoinsMoved,
  OrderNumber,
  PaymentCallOptions,
  PaymentEnv,
  PaymentEvent,
  PaymentNotification,
  PaymentOrder,
  PaymentPushOptions,
  PaymentPushRequest,
  PaymentUser,
  PushMessage,
  PushResponse,
  Refund,
  RefundInput,
  SigningUser,
  UserBalance,
  VirtualPayment,
  VirtualPaymentOptions,
} from './virtual-payment.js'
export { createWeChat, type OwnWeChat, type WeChatOptions } from './wechat.js'
export type { WxacodeOptions } from './wxacode.js'
