import { createClient, type RequestOptions, type Wx } from '../../src/index.js'

// The real `wx` fits the port.
const port: Wx = wx
createClient({ baseUrl: 'https://api.example.com', wx: port })

// What `wx.request` takes, `request` takes too, callbacks excepted.
type NativeOptions = Omit<WechatMiniprogram.RequestOption, 'success' | 'fail' | 'complete'>
export const options = (native: NativeOptions): RequestOptions => native

// `App.onLaunch` can hand on what it gets.
export const launch = (entry: WechatMiniprogram.App.LaunchShowOption) =>
  createClient({ baseUrl: 'https://api.example.com' }).launch(entry)

// What a plugin and a Skill leave out is not asked for.
type Lesser = Omit<
  typeof wx,
  | 'onAppShow'
  | 'getEnterOptionsSync'
  | 'getLaunchOptionsSync'
  | 'getRandomValues'
  | 'removeStorageSync'
>
export const lesser: Wx = {} as Lesser

type Changed<Member extends keyof Wx, Type> = Omit<typeof wx, Member> & { [M in Member]: Type }

// @ts-expect-error a member that is missing
export const missing: Wx = {} as Omit<typeof wx, 'login'>
// @ts-expect-error a code that is no longer a text
export const changed: Wx = {} as Changed<
  'login',
  (options: { success?: (result: { code: number }) => void }) => void
>
// @ts-expect-error a task that cannot be aborted
export const taskless: Wx = {} as Changed<'request', () => void>
