import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;

/** A backend without a login of its own: `wxlogin serve` logs in, and this verifies its tokens and answers its webhooks. */
public class Main {
  private static final int MAX_BODY_BYTES = 64 * 1024;

  private final AccessTokens tokens;
  private final Webhooks webhooks;
  private final Users users;

  Main(AccessTokens tokens, Webhooks webhooks, Users users) {
    this.tokens = tokens;
    this.webhooks = webhooks;
    this.users = users;
  }

  public static void main(String[] args) throws IOException {
    KeySet keys = new KeySet(URI.create(setting("JWKS_URL")));
    AccessTokens tokens = new AccessTokens(keys, settingOr("WXLOGIN_ISSUER", "wxlogin"), setting("WX_APP_ID"));
    Main main = new Main(tokens, new Webhooks(setting("WXLOGIN_WEBHOOKS_SECRET")), new Users());

    int port = Integer.parseInt(settingOr("PORT", "8090"));
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
    server.createContext("/", main::answer);
    server.setExecutor(Executors.newFixedThreadPool(32));
    server.start();
    System.out.println("http://127.0.0.1:" + server.getAddress().getPort());
  }

  private void answer(HttpExchange request) throws IOException {
    try (request) {
      send(request, answerTo(request));
    }
  }

  private Answer answerTo(HttpExchange request) throws IOException {
    try {
      return switch (request.getRequestMethod() + " " + request.getRequestURI().getPath()) {
        case "GET /orders" -> orders(request);
        case "POST /hooks/wxlogin" -> hook(request);
        default -> new Answer(404, Map.of("error", "not_found"));
      };
    } catch (AccessTokens.Invalid e) {
      // By this very answer the mini program knows that its token has to be renewed.
      return new Answer(401, Map.of("error", "invalid_token"));
    } catch (KeySet.Unavailable e) {
      // Nobody's token is wrong: a 401 would make every phone renew one that is good.
      return new Answer(503, Map.of("error", "temporarily_unavailable"));
    } catch (RuntimeException e) {
      e.printStackTrace();
      return new Answer(500, Map.of("error", "server_error"));
    }
  }

  private Answer orders(HttpExchange request) {
    AccessTokens.User user = tokens.verify(request.getRequestHeaders().getFirst("Authorization"));
    return new Answer(200, List.of(Map.of("id", 1, "title", "Tea", "userId", user.id())));
  }

  /** What `onLogin` and `claims` are to a backend in Node. */
  private Answer hook(HttpExchange request) throws IOException {
    byte[] body = request.getRequestBody().readNBytes(MAX_BODY_BYTES + 1);
    if (body.length > MAX_BODY_BYTES) return new Answer(413, Map.of("error", "too_large"));
    if (!webhooks.isGenuine(request.getRequestHeaders(), body)) {
      return new Answer(401, Map.of("error", "invalid_signature"));
    }
    try {
      Map<String, Object> event = Json.object(new String(body, StandardCharsets.UTF_8));
      return switch (Json.string(event, "type")) {
        case "login" -> login(event);
        case "claims" -> claims(event);
        default -> new Answer(400, Map.of("error", "unknown_type"));
      };
    } catch (IllegalArgumentException e) {
      return new Answer(400, Map.of("error", "invalid_request"));
    }
  }

  private Answer login(Map<String, Object> event) throws IOException {
    Users.User user = users.upsert(Json.string(event, "appId"), Json.string(event, "openid"));
    if (user.isBanned()) return new Answer(403, Map.of("reason", "banned"));
    return new Answer(200, Map.of("userId", user.id()));
  }

  /** At each login, and again whenever a phone renews its token: a ban made meanwhile ends the session. */
  private Answer claims(Map<String, Object> event) throws IOException {
    Users.User user = users.byId(Json.string(event, "userId"));
    if (user == null) return new Answer(403, Map.of("reason", "unknown_user"));
    if (user.isBanned()) return new Answer(403, Map.of("reason", "banned"));
    return new Answer(200, Map.of("role", "customer"));
  }

  private record Answer(int status, Object body) {}

  private static void send(HttpExchange request, Answer answer) throws IOException {
    byte[] body = Json.write(answer.body()).getBytes(StandardCharsets.UTF_8);
    request.getResponseHeaders().set("Content-Type", "application/json");
    request.getResponseHeaders().set("Cache-Control", "no-store");
    if (answer.status() == 401) {
      request.getResponseHeaders().set("WWW-Authenticate", "Bearer error=\"invalid_token\"");
    }
    request.sendResponseHeaders(answer.status(), body.length);
    request.getResponseBody().write(body);
  }

  private static String setting(String name) {
    String value = System.getenv(name);
    if (value != null && !value.isEmpty()) return value;
    System.err.println(name + " is not set; README.md says what it holds");
    System.exit(1);
    return "";
  }

  private static String settingOr(String name, String usual) {
    String value = System.getenv(name);
    return value == null || value.isEmpty() ? usual : value;
  }
}
