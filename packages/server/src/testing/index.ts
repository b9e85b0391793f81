export * from './adapter-cases/adapter-cases.js'
export * from './fake-wechat/fake-wechat.js'
export { type SignedIn, type SignInOptions, signIn } from './sign-in.js'
export { type StoreCase, type StoreCasesOptions, storeCases } from './store-cases.js'
