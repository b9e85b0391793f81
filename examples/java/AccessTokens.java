import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.Signature;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;

/** Verifies access tokens (RFC 9068) that are signed with ES256. */
class AccessTokens {
  /** Thrown for every token that is not good now; which reason it is concerns nobody who asks. */
  static class Invalid extends RuntimeException {
    Invalid() {
      super("The access token is missing, expired or not ours");
    }
  }

  record User(String id, Map<String, Object> claims) {}

  // Clocks differ. A phone does not renew a token that it has just got, so it must be good here at once.
  private static final long LEEWAY_SECONDS = 30;

  private final KeySet keys;
  private final String issuer;
  private final String appId;

  AccessTokens(KeySet keys, String issuer, String appId) {
    this.keys = keys;
    this.issuer = issuer;
    this.appId = appId;
  }

  /** The user of an `Authorization` header. */
  User verify(String authorization) {
    if (authorization == null || !authorization.regionMatches(true, 0, "Bearer ", 0, 7)) throw new Invalid();
    String[] parts = authorization.substring(7).trim().split("\\.", -1);
    if (parts.length != 3) throw new Invalid();

    // The algorithm is ours to say, never the token's.
    Map<String, Object> header = decoded(parts[0]);
    boolean isOurs = "ES256".equals(header.get("alg")) && "at+jwt".equals(header.get("typ"));
    if (!isOurs || header.containsKey("crit") || !(header.get("kid") instanceof String kid)) throw new Invalid();
    PublicKey key = keys.get(kid);
    if (key == null || !isSignedBy(key, parts)) throw new Invalid();

    Map<String, Object> claims = decoded(parts[1]);
    long now = Instant.now().getEpochSecond();
    boolean isGood = issuer.equals(claims.get("iss"))
        && isForUs(claims.get("aud"))
        && claims.get("exp") instanceof Number exp && now < exp.longValue() + LEEWAY_SECONDS
        && claims.get("iat") instanceof Number iat && iat.longValue() <= now + LEEWAY_SECONDS
        && claims.get("sub") instanceof String sub && !sub.isEmpty();
    if (!isGood) throw new Invalid();
    return new User((String) claims.get("sub"), claims);
  }

  private boolean isForUs(Object audience) {
    return audience instanceof List<?> list ? list.contains(appId) : appId.equals(audience);
  }

  /** A JWT has the two numbers of the signature side by side (RFC 7518 §3.4), which Java calls P1363. */
  private static boolean isSignedBy(PublicKey key, String[] parts) {
    try {
      Signature signature = Signature.getInstance("SHA256withECDSAinP1363Format");
      signature.initVerify(key);
      signature.update((parts[0] + "." + parts[1]).getBytes(StandardCharsets.US_ASCII));
      return signature.verify(Base64.getUrlDecoder().decode(parts[2]));
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      return false;
    }
  }

  private static Map<String, Object> decoded(String part) {
    try {
      return Json.object(new String(Base64.getUrlDecoder().decode(part), StandardCharsets.UTF_8));
    } catch (IllegalArgumentException e) {
      throw new Invalid();
    }
  }
}
