/** Signatures that WeChat publishes, and those of public projects, which are marked. All keys are samples. */

interface Vector {
  readonly name: string
  readonly key: string
  readonly signature: string
}

/** Under an AppKey, over `uri & body`. */
export const paySignatures: readonly (Vector & {
  readonly uri: string
  readonly body: string
})[] = [
  {
    name: 'xpay-pay-sig-official',
    key: '12345',
    uri: '/xpay/query_user_balance',
    body: '{"openid": "xxx", "user_ip": "127.0.0.1", "env": 0}',
    signature: 'c37809f27c6d7fd1837ad2500a04512b66b34fd793a39a385fade56dca89a4b5',
  },
  {
    name: 'minigame-v2-pay-sig-official',
    key: '12345',
    uri: '/wxa/game/getbalance',
    body: '{"offer_id": "12345678", "openid": "oUrsfxxxxxxxxxx", "ts": 1668136271, "zone_id": "1", "env": 0}',
    signature: '11bac6388871d29c055c7d16fbe42e8d646855b666faf89b15c815218b1b23bd',
  },
  {
    name: 'request-virtual-payment-pay-sig-community',
    key: 'app-key',
    uri: 'requestVirtualPayment',
    body: '{"offerId":"1450593228","buyQuantity":1,"env":1,"currencyType":"CNY","productId":"light_monthly","goodsPrice":990,"outTradeNo":"PM20260719123000A1B2C3D4","attach":"membership:light_monthly"}',
    signature: 'e00d94ab6e3fd1f7e6a8a0b33bc9b06f6d51b871b8f3dd9ccbb8064afa82b29c',
  },
  {
    name: 'pay-event-sig-community',
    key: 'test_app_key_1234567890',
    uri: 'xpay_goods_deliver_notify',
    body: '{"outTradeNo":"ORDER20260101001","productId":"prod_001"}',
    signature: 'fda68ccc3f2ac30a11aee40584ea021e1999026fbbb432875070ef1ce46074f0',
  },
]

/** Under a session_key as it is written, over a text. */
export const userSignatures: readonly (Vector & { readonly text: string })[] = [
  {
    name: 'xpay-user-signature-official',
    key: '9hAb/NEYUlkaMBEsmFgzig==',
    text: '{"openid": "xxx", "user_ip": "127.0.0.1", "env": 0}',
    signature: '089d9e8dc5d308977360c4b79ec600a93d736802802a807d634192328032f6c7',
  },
  {
    name: 'minigame-v2-user-signature-official',
    key: '9hAb/NEYUlkaMBEsmFgzig==',
    text: '{"offer_id": "12345678", "openid": "oUrsfxxxxxxxxxx", "ts": 1668136271, "zone_id": "1", "env": 0}',
    signature: '42fe1d3341fb1c8bd6f5014ba735ab04eacc80a2deb3ab4669eab4700b5b6729',
  },
  {
    name: 'session-signature-official',
    key: 'o0q0otL8aEzpcZL/FT9WsQ==',
    text: '{"foo":"bar"}',
    signature: '654571f79995b2ce1e149e53c0a33dc39c0a74090db514261454e8dbe432aa0b',
  },
  {
    name: 'midas-v1-mp-sig-official',
    key: 'V7Q38/i2KXaqrQyl2Yx9Hg==',
    text: 'access_token=ACCESSTOKEN&appid=wx1234567&offer_id=12345678&openid=odkx20ENSNa2w5y3g_qOkOvBNM1g&pf=android&sig=1ad64e8dcb2ec1dc486b7fdf01f4a15159fc623dc3422470e51cf6870734726b&ts=1507530737&zone_id=1&org_loc=/cgi-bin/midas/getbalance&method=POST&session_key=V7Q38/i2KXaqrQyl2Yx9Hg==',
    signature: 'ff4c5bb39dea1002a8f03be0438724e1a8bcea5ebce8f221f9b9fea3bcf3bf76',
  },
  {
    name: 'user-storage-community',
    key: '123456',
    text: '{"kv_list":[{"key":"lvrank","value":"1"}]}',
    signature: 'bfa13abc564755ec3f7dcee1225f641b232dc93f1b4391264f99b7cd77a781ea',
  },
  {
    name: 'request-virtual-payment-user-signature-community',
    key: 'session-key',
    text: '{"offerId":"1450593228","buyQuantity":1,"env":1,"currencyType":"CNY","productId":"light_monthly","goodsPrice":990,"outTradeNo":"PM20260719123000A1B2C3D4","attach":"membership:light_monthly"}',
    signature: 'b5895c916a154b2ad05564713c789285bb6aabc2db54ca9e86662b78b4336f45',
  },
]

/** Mini games 1.0: under the secret of the offer, over sorted parameters. The same HMAC, of another text. */
export const secretSignature = {
  key: 'zNLgAGgqsEWJOg1nFVaO5r7fAlIQxr1u',
  text: 'appid=wx1234567&offer_id=12345678&openid=odkx20ENSNa2w5y3g_qOkOvBNM1g&pf=android&ts=1507530737&zone_id=1&org_loc=/cgi-bin/midas/getbalance&method=POST&secret=zNLgAGgqsEWJOg1nFVaO5r7fAlIQxr1u',
  signature: '1ad64e8dcb2ec1dc486b7fdf01f4a15159fc623dc3422470e51cf6870734726b',
}

/** What a decoded key gives: the mistake that is made most. */
export const wrongOfDecodedKey = {
  key: '9hAb/NEYUlkaMBEsmFgzig==',
  text: '{"openid": "xxx", "user_ip": "127.0.0.1", "env": 0}',
  signature: 'd54d8b90dc3287658edc2b9f6392c168d7fb649d5783be31d111c00260ad851b',
}
