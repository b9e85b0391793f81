/** Where `wx` is met: in a mini program, or where it has less. */
export type FakeRuntime = 'miniprogram' | 'plugin' | 'minigame' | 'skill'

const appEvents = ['onAppShow', 'offAppShow', 'onAppHide', 'offAppHide']
const gameEvents = ['onShow', 'offShow', 'onHide', 'offHide']

/**
 * What each does not have, of the members of the fake `wx`, after WeChat's documentation and typings. A Skill
 * is what runs in the AI mode of a mini program (AI 开发模式), here its atomic interfaces.
 */
export const missingIn: Readonly<Record<FakeRuntime, readonly string[]>> = {
  miniprogram: gameEvents,
  plugin: [...gameEvents, ...appEvents, 'getRandomValues', 'getBackgroundFetchData'],
  minigame: [...appEvents, 'getRandomValues'],
  skill: [
    ...gameEvents,
    ...appEvents,
    'getRandomValues',
    'getBackgroundFetchData',
    'removeStorageSync',
    'getEnterOptionsSync',
    'getLaunchOptionsSync',
  ],
}
