import com.sun.net.httpserver.Headers;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Tells the webhooks of `wxlogin serve` from what anybody may send. They are signed as standardwebhooks.com says. */
class Webhooks {
  private static final long TOLERANCE_SECONDS = 300;

  private final SecretKeySpec key;

  /** The secret as it stands in the settings: `whsec_` and base64. */
  Webhooks(String secret) {
    if (!secret.startsWith("whsec_")) throw new IllegalArgumentException("WXLOGIN_WEBHOOKS_SECRET must start with whsec_");
    key = new SecretKeySpec(Base64.getDecoder().decode(secret.substring(6)), "HmacSHA256");
  }

  boolean isGenuine(Headers headers, byte[] body) {
    String id = headers.getFirst("webhook-id");
    String timestamp = headers.getFirst("webhook-timestamp");
    String signatures = headers.getFirst("webhook-signature");
    if (id == null || timestamp == null || signatures == null || !timestamp.matches("\\d{1,12}")) return false;
    if (Math.abs(Instant.now().getEpochSecond() - Long.parseLong(timestamp)) > TOLERANCE_SECONDS) return false;

    byte[] wanted = ("v1," + Base64.getEncoder().encodeToString(sign(id + "." + timestamp + ".", body)))
        .getBytes(StandardCharsets.UTF_8);
    // While a secret is being replaced there are two.
    for (String signature : signatures.split(" ")) {
      if (MessageDigest.isEqual(wanted, signature.getBytes(StandardCharsets.UTF_8))) return true;
    }
    return false;
  }

  private byte[] sign(String start, byte[] body) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(key);
      mac.update(start.getBytes(StandardCharsets.UTF_8));
      return mac.doFinal(body);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }
}
