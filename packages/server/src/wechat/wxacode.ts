import { Unreadable } from './answer.js'
import { wxacodeErrcodes } from './errcodes.js'
import { defaultMaxBytes, fileRequest, readFile, type WeChatFile } from './files.js'
import type { WeChatRequest } from './transport.js'

/** What a mini-program code (小程序码) leads to, and how it looks. */
export interface WxacodeOptions {
  /**
   * What the page gets to know: 1 to 32 digits, letters and characters of ``!#$&'()*+,/:;=?@-._~``. The page receives it
   * encoded: `decodeURIComponent(options.scene)`.
   */
  readonly scene: string
  /** A page, without a slash in front and without a query (default the home page). */
  readonly page?: string
  /** Whether the page must be published (default true). */
  readonly checkPath?: boolean
  /** Which version it opens (default `release`). */
  readonly envVersion?: 'release' | 'trial' | 'develop'
  /** In pixels, 280 to 1280 (default 430). */
  readonly width?: number
  readonly autoColor?: boolean
  readonly lineColor?: { readonly r: number; readonly g: number; readonly b: number }
  /** Transparent, and then a PNG (default false). */
  readonly isHyaline?: boolean
}

/**
 * A mini-program code, as many as one likes (getwxacodeunlimit).
 * https://developers.weixin.qq.com/miniprogram/dev/server/API/qrcode-link/qr-code/api_getunlimitedqrcode
 */
export function wxacodeRequest(appId: string, options: WxacodeOptions): WeChatRequest<WeChatFile> {
  const { scene, page, checkPath, envVersion, width, autoColor, lineColor, isHyaline } = options
  if (typeof scene !== 'string' || !/^[\w!#$&'()*+,/:;=?@.~-]{1,32}$/.test(scene)) {
    throw new TypeError(
      "scene must be 1 to 32 digits, letters and characters of !#$&'()*+,/:;=?@-._~",
    )
  }
  if (page !== undefined && (typeof page !== 'string' || !/^[^/?#\s][^?#\s]*$/.test(page))) {
    throw new TypeError('page must be a page such as pages/index/index, without a query')
  }
  if (width !== undefined && !(Number.isSafeInteger(width) && width >= 280 && width <= 1280)) {
    throw new TypeError('width must be 280 to 1280 pixels')
  }
  const request = fileRequest(appId, 'POST', '/wxa/getwxacodeunlimit', {
    body: {
      scene,
      page,
      check_path: checkPath,
      env_version: envVersion,
      width,
      auto_color: autoColor,
      line_color: lineColor,
      is_hyaline: isHyaline,
    },
  })
  // It changes nothing at WeChat, so it may be repeated.
  return { ...request, endpoint: 'wxacode', errcodes: wxacodeErrcodes, isRepeatable: true, file }
}

const file: NonNullable<WeChatRequest<WeChatFile>['file']> = {
  maxBytes: defaultMaxBytes,
  read(bytes) {
    const picture = readFile(bytes)
    if (picture.type.startsWith('image/')) return picture
    throw new Unreadable('WeChat answered with something that is not a picture')
  },
}
