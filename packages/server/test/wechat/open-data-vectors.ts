/** WeChat's published samples; those that are not are marked. */

/** The WXBizDataCrypt demo behind https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/signature.html */
export const userInfo = {
  appId: 'wx4f4bc4dec97d474b',
  sessionKey: 'tiihtNczf5v6AKRyjwEUhQ==',
  iv: 'r7BXXKkLb8qrSNn05n0qiA==',
  encryptedData:
    'CiyLU1Aw2KjvrjMdj8YKliAjtP4gsMZMQmRzooG2xrDcvSnxIMXFufNstNGTyaGS9uT5geRa0W4oTOb1WT7fJlAC+oNPdbB+3hVbJSRgv+4lGOETKUQz6OYStslQ142dNCuabNPGBzlooOmB231qMM85d2/fV6ChevvXvQP8Hkue1poOFtnEtpyxVLW1zAo6/1Xx1COxFvrc2d7UL/lmHInNlxuacJXwu0fjpXfz/YqYzBIBzD6WUfTIF9GRHpOn/Hz7saL8xz+W//FRAUid1OksQaQx4CMs8LOddcQhULW4ucetDf96JcR3g0gfRK4PC7E/r7Z6xNrXd2UIeorGj5Ef7b1pJAYB6Y5anaHqZ9J6nKEBvB4DnNLIVWSgARns/8wR2SiRS7MNACwTyrGvt9ts8p12PKFdlqYTopNHR1Vf7XjfhQlVsAJdNiKdYmYVoKlaRv85IfVunYzO0IKXsyl7JCUjCpoG20f0a04COwfneQAGGwd5oa+T8yO5hzuyDb/XcxxmK01EpqOyuxINew==',
  plaintext:
    '{"openId":"oGZUI0egBJY1zhBYw2KhdUfwVJJE","nickName":"Band","gender":1,"language":"zh_CN","city":"Guangzhou","province":"Guangdong","country":"CN","avatarUrl":"http://wx.qlogo.cn/mmopen/vi_32/aSKcBBPpibyKNicHNTMM0qJVh8Kjgiak2AHWr8MHM4WgMEm7GFhsf8OYrySdbvAMvTsw3mo8ibKicsnfN5pRjl1p8HQ/0","unionId":"ocMvos6NjeKLIBqg5Mr9QjxrP1FA","watermark":{"timestamp":1477314187,"appid":"wx4f4bc4dec97d474b"}}',
}

/** The legacy payload of the getPhoneNumber button, masked by its author; from the tests of SKIT.FlurlHttpClient.Wechat (MIT). */
export const phoneNumber = {
  appId: 'wxc****17e87e0e0a7',
  sessionKey: 'YZJqKnNFi0KAiKUc0ggC2g==',
  iv: 'KEWv/gyiIwAfHvjrLeaX6w==',
  encryptedData:
    'Gu2PVnxVWl+jK4F8c0liGxfkB5Bj3m5HRvwgEIk1Yb+36RZ3Bg7YmUnud/ooiHz0PQroipsH7GCjlGwUeT04NwmrFaP1y3dRYPLpS43ed9QZWcFIFo+8vTs3Zco6S98DUvaNEAs8duhz/BzfBOZaIHMziRqEtPFI0ZDzCgJluBirJ6Wl3UkygZ5/QLo3KA53qGdip7K48Rq8XbCwuidTCw==',
  plaintext:
    '{"phoneNumber":"186****5613","purePhoneNumber":"186****5613","countryCode":"86","watermark":{"timestamp":1634545675,"appid":"wxc****17e87e0e0a7"}}',
}

/** https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/signature.html */
export const rawData = {
  sessionKey: 'HyVFkGl5F5OQWJZZaNzBBg==',
  rawData:
    '{"nickName":"Band","gender":1,"language":"zh_CN","city":"Guangzhou","province":"Guangdong","country":"CN","avatarUrl":"http://wx.qlogo.cn/mmopen/vi_32/1vZvI39NWFQ9XM4LtQpFrQJ1xlgZxx3w7bQxKARol6503Iuswjjn6nIGBiaycAjAtpujxyzYsrztuuICqIM5ibXQ/0"}',
  signature: '75e81ceda165f4ffa64f4068af58c64b8f54b88c',
}

/** https://developers.weixin.qq.com/minigame/dev/tutorial/open-ability/http-signature.html */
export const signedBody = {
  sessionKey: 'o0q0otL8aEzpcZL/FT9WsQ==',
  message: '{"foo":"bar"}',
  signature: '654571f79995b2ce1e149e53c0a33dc39c0a74090db514261454e8dbe432aa0b',
}

/** Derived by the rule that the sample above proves; WeChat publishes none for the empty message. */
export const signedNothing = [
  {
    sessionKey: 'o0q0otL8aEzpcZL/FT9WsQ==',
    signature: '46e043c5525c2d817c44be603d30837a808a1d930d038f6fdc3e62a201fed128',
  },
  {
    sessionKey: 'tiihtNczf5v6AKRyjwEUhQ==',
    signature: '7154f9f8b4b76b92f541cbf0e37d48840fa06e5e42da92a6f80168a1516a4735',
  },
  {
    sessionKey: 'HyVFkGl5F5OQWJZZaNzBBg==',
    signature: '252b75c92698025afe925b29cca5517fdf9ee67aae072cf3225ebf3a53783058',
  },
]
