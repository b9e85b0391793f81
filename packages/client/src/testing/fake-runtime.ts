/** Where `wx` is met: in a mini program, where it has less, or inside WeCom (企业微信), where it has `qy` too. */
export type FakeRuntime = 'miniprogram' | 'plugin' | 'minigame' | 'skill' | 'wecom'

const appEvents = ['onAppShow', 'offAppShow', 'onAppHide', 'offAppHide']
const gameEvents = ['onShow', 'offShow', 'onHide', 'offHide']
const gamePayments = ['requestMidasPaymentGameItem']
const payments = ['requestVirtualPayment', ...gamePayments]

/**
 * What each does not have, of the members of the fake `wx`, after WeChat's documentation and typings. A Skill
 * is what runs in the AI mode of a mini program (AI 开发模式), here its atomic interfaces.
 */
export const missingIn: Readonly<Record<FakeRuntime, readonly string[]>> = {
  miniprogram: [...gameEvents, ...gamePayments, 'qy'],
  wecom: [...gameEvents, ...gamePayments],
  plugin: [
    ...gameEvents,
    ...payments,
    ...appEvents,
    'qy',
    'getRandomValues',
    'getBackgroundFetchData',
  ],
  minigame: [...appEvents, 'requestVirtualPayment', 'qy', 'getRandomValues'],
  skill: [
    ...gameEvents,
    ...payments,
    ...appEvents,
    'qy',
    'getRandomValues',
    'getBackgroundFetchData',
    'removeStorageSync',
    'getEnterOptionsSync',
    'getLaunchOptionsSync',
  ],
}
