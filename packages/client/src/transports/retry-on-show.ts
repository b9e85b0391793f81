import { openTask } from '../task.js'
import type { FullRuntime } from '../wx.js'
import type { Open } from './send.js'

/** Opens tasks that are run once more when the app is in front again, if WeChat cut them off for being behind. */
export function createResuming(wx: FullRuntime): Open {
  let isHidden: boolean | undefined
  const waiting: (() => void)[] = []

  wx.onAppHide(() => {
    isHidden = true
  })
  wx.onAppShow(() => {
    isHidden = false
    waiting.splice(0).forEach((resume) => resume())
  })

  return (timeoutMs, run) =>
    openTask(timeoutMs, (ask) =>
      run(ask).catch((error) => {
        if (error.code !== 'interrupted') throw error
        // Suspended JavaScript hears of the interruption after it is in front again.
        return new Promise<void>((resume) => {
          if (isHidden) waiting.push(resume)
          else resume()
        }).then(() => run(ask))
      }),
    )
}
