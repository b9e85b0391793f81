import java.io.IOException;
import java.math.BigInteger;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPoint;
import java.security.spec.ECPublicKeySpec;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The public keys of `/jwks.json`, fetched when they are needed and kept for five minutes. */
class KeySet {
  /** Thrown when no keys could be fetched yet. */
  static class Unavailable extends RuntimeException {
    Unavailable(Throwable cause) {
      super("The keys could not be fetched", cause);
    }
  }

  private static final long KEPT_SECONDS = 300;
  // An unknown key may be a new one, or made up: whoever sends made-up ones must not make us fetch all the time.
  private static final long PAUSE_SECONDS = 30;
  private static final long PAUSE_AFTER_FAILURE_SECONDS = 1;

  private final HttpClient http = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(2)).build();
  private final URI url;
  private volatile Map<String, PublicKey> keys = Map.of();
  private volatile long freshUntil = Long.MIN_VALUE;
  private long nextFetchAt = Long.MIN_VALUE;
  private Throwable lastFailure;

  KeySet(URI url) {
    this.url = url;
  }

  /** The key with this id, or `null`. */
  PublicKey get(String kid) {
    PublicKey key = keys.get(kid);
    if (key != null && seconds() < freshUntil) return key;
    fetch();
    return keys.get(kid);
  }

  private synchronized void fetch() {
    if (seconds() >= nextFetchAt) {
      try {
        HttpRequest request = HttpRequest.newBuilder(url).timeout(Duration.ofSeconds(2)).build();
        HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() != 200) throw new IOException(url + " answers " + response.statusCode());
        keys = read(response.body());
        freshUntil = seconds() + KEPT_SECONDS;
        nextFetchAt = seconds() + PAUSE_SECONDS;
      } catch (IOException | GeneralSecurityException | RuntimeException e) {
        // The keys that are there stay good while the login service restarts.
        nextFetchAt = seconds() + PAUSE_AFTER_FAILURE_SECONDS;
        lastFailure = e;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new Unavailable(e);
      }
    }
    if (keys.isEmpty()) throw new Unavailable(lastFailure);
  }

  private static Map<String, PublicKey> read(String body) throws GeneralSecurityException {
    AlgorithmParameters curve = AlgorithmParameters.getInstance("EC");
    curve.init(new ECGenParameterSpec("secp256r1"));
    ECParameterSpec p256 = curve.getParameterSpec(ECParameterSpec.class);
    KeyFactory factory = KeyFactory.getInstance("EC");

    Map<String, PublicKey> found = new HashMap<>();
    for (Object item : (List<?>) Json.object(body).get("keys")) {
      // Others may stand beside it, while one kind of key replaces another.
      if (!(item instanceof Map<?, ?> jwk) || !"P-256".equals(jwk.get("crv"))) continue;
      ECPoint point = new ECPoint(number(jwk.get("x")), number(jwk.get("y")));
      found.put((String) jwk.get("kid"), factory.generatePublic(new ECPublicKeySpec(point, p256)));
    }
    return Map.copyOf(found);
  }

  private static BigInteger number(Object base64url) {
    return new BigInteger(1, Base64.getUrlDecoder().decode((String) base64url));
  }

  /** Of a clock that nobody sets. */
  private static long seconds() {
    return System.nanoTime() / 1_000_000_000;
  }
}
