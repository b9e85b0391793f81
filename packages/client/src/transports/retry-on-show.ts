import { openTask } from '../task.js'
import { type FullWx, onHide, onShow } from '../wx.js'
import type { OpenTask } from './send.js'

/** Opens tasks that run once more when the app is shown again, if WeChat interrupted them in the background. */
export function createRetryOnShow(wx: FullWx): OpenTask {
  let isHidden: boolean | undefined
  const waiting: (() => void)[] = []

  onHide(wx, () => {
    isHidden = true
  })
  onShow(wx, () => {
    isHidden = false
    waiting.splice(0).forEach((resume) => resume())
  })

  return (timeoutMs, run, place) =>
    openTask(
      timeoutMs,
      (ask) =>
        run(ask).catch((error) => {
          if (error.code !== 'interrupted') throw error
          // JavaScript that was suspended learns of the interruption only after the app is shown again.
          return new Promise<void>((resume) => {
            if (isHidden) waiting.push(resume)
            else resume()
          }).then(() => run(ask))
        }),
      place,
    )
}
