export type { Json } from '@wxlogin/shared'
export type {
  Attached,
  Backend,
  BackendAnswer,
  BackendRequest,
  Call,
  Held,
  LoginGiven,
  Refused,
  Tokens,
} from './translator/backend.js'
export { createTranslator, type TranslatorOptions } from './translator/translator.js'
