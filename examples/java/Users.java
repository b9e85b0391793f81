import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;

/** Where your table of users stands. Here it is `users.txt`, and `banned.txt` has an openid a line. */
class Users {
  record User(String id, String openid) {
    boolean isBanned() throws IOException {
      Path file = Path.of("banned.txt");
      return Files.exists(file) && Files.readAllLines(file).contains(openid);
    }
  }

  private static final Path FILE = Path.of("users.txt");

  private final Map<String, User> byAccount = new HashMap<>();
  private final Map<String, User> byId = new HashMap<>();

  Users() throws IOException {
    if (!Files.exists(FILE)) return;
    for (String line : Files.readAllLines(FILE)) {
      String[] parts = line.split(" ");
      if (parts.length == 3) add(new User(parts[0], parts[2]), parts[1]);
    }
  }

  /**
   * The webhook may come twice for one login, at the same time too: one account has one user, whatever happens. In SQL
   * that is a unique key over AppID and openid, and an INSERT that gives way to it.
   */
  synchronized User upsert(String appId, String openid) throws IOException {
    User known = byAccount.get(appId + " " + openid);
    if (known != null) return known;
    User user = new User(UUID.randomUUID().toString(), openid);
    // Written before it is told to anybody: the login service would hold an id that nobody knows after a restart.
    String line = user.id() + " " + appId + " " + openid + "\n";
    Files.writeString(FILE, line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    add(user, appId);
    return user;
  }

  /** `null` for nobody. */
  synchronized User byId(String id) {
    return byId.get(id);
  }

  private void add(User user, String appId) {
    byAccount.put(appId + " " + user.openid(), user);
    byId.put(user.id(), user);
  }
}
