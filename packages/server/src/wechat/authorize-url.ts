/** Where the browser goes for a code. WeChat wants these parameters in this order. */
export function authorizeUrl(
  page: 'qrconnect' | 'oauth2/authorize',
  {
    appId,
    redirectUri,
    scope,
    state,
  }: {
    readonly appId: string
    readonly redirectUri: string
    readonly scope: string
    readonly state: string
  },
): string {
  const query = new URLSearchParams({
    appid: appId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope,
    state,
  })
  return `https://open.weixin.qq.com/connect/${page}?${query}#wechat_redirect`
}
