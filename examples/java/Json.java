import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** JSON (RFC 8259), because the JDK has none. In a project that has Jackson or Gson, use that. */
class Json {
  private static final int MAX_DEPTH = 32;

  private final String text;
  private int at = 0;

  private Json(String text) {
    this.text = text;
  }

  /** Throws an `IllegalArgumentException` for what is no JSON, and no object. */
  @SuppressWarnings("unchecked")
  static Map<String, Object> object(String text) {
    Json json = new Json(text);
    Object value = json.value(0);
    json.space();
    if (json.at < text.length() || !(value instanceof Map)) throw json.wrong();
    return (Map<String, Object>) value;
  }

  /** A text that has to be there. */
  static String string(Map<String, Object> object, String name) {
    if (object.get(name) instanceof String value) return value;
    throw new IllegalArgumentException(name + " is missing");
  }

  static String write(Object value) {
    if (value instanceof Map<?, ?> map) {
      List<String> members = new ArrayList<>();
      map.forEach((name, member) -> members.add(quoted((String) name) + ":" + write(member)));
      return "{" + String.join(",", members) + "}";
    }
    if (value instanceof List<?> list) return "[" + String.join(",", list.stream().map(Json::write).toList()) + "]";
    return value instanceof String string ? quoted(string) : String.valueOf(value);
  }

  private static String quoted(String string) {
    StringBuilder out = new StringBuilder("\"");
    for (char c : string.toCharArray()) {
      if (c == '"' || c == '\\') out.append('\\').append(c);
      else if (c < ' ' || c == '\u2028' || c == '\u2029') out.append(String.format("\\u%04x", (int) c));
      else out.append(c);
    }
    return out.append('"').toString();
  }

  private Object value(int depth) {
    if (depth > MAX_DEPTH) throw wrong();
    space();
    return switch (peek()) {
      case '{' -> members(depth);
      case '[' -> items(depth);
      case '"' -> string();
      case 't' -> literal("true", true);
      case 'f' -> literal("false", false);
      case 'n' -> literal("null", null);
      default -> number();
    };
  }

  private Map<String, Object> members(int depth) {
    Map<String, Object> members = new LinkedHashMap<>();
    take('{');
    space();
    while (peek() != '}') {
      if (!members.isEmpty()) take(',');
      space();
      String name = string();
      space();
      take(':');
      // Two of one name would be two truths: whoever signed may have meant the other.
      if (members.containsKey(name)) throw wrong();
      members.put(name, value(depth + 1));
      space();
    }
    take('}');
    return members;
  }

  private List<Object> items(int depth) {
    List<Object> items = new ArrayList<>();
    take('[');
    space();
    while (peek() != ']') {
      if (!items.isEmpty()) take(',');
      items.add(value(depth + 1));
      space();
    }
    take(']');
    return items;
  }

  private String string() {
    StringBuilder out = new StringBuilder();
    take('"');
    while (peek() != '"') {
      char c = next();
      if (c < ' ') throw wrong();
      out.append(c == '\\' ? escaped(next()) : c);
    }
    take('"');
    return out.toString();
  }

  private char escaped(char c) {
    return switch (c) {
      case '"', '\\', '/' -> c;
      case 'b' -> '\b';
      case 'f' -> '\f';
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 't' -> '\t';
      case 'u' -> (char) Integer.parseInt(digits(), 16);
      default -> throw wrong();
    };
  }

  private String digits() {
    String digits = text.substring(at, Math.min(at + 4, text.length()));
    if (!digits.matches("[0-9a-fA-F]{4}")) throw wrong();
    at += 4;
    return digits;
  }

  private Object number() {
    int start = at;
    while (at < text.length() && "+-.eE0123456789".indexOf(text.charAt(at)) >= 0) at++;
    String number = text.substring(start, at);
    if (!number.matches("-?(0|[1-9]\\d*)(\\.\\d+)?([eE][+-]?\\d+)?")) throw wrong();
    return number.matches("-?\\d{1,18}") ? (Object) Long.valueOf(number) : (Object) Double.valueOf(number);
  }

  private Object literal(String word, Object value) {
    if (!text.startsWith(word, at)) throw wrong();
    at += word.length();
    return value;
  }

  private void space() {
    while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) at++;
  }

  private void take(char wanted) {
    if (next() != wanted) throw wrong();
  }

  private char next() {
    char c = peek();
    at++;
    return c;
  }

  private char peek() {
    if (at >= text.length()) throw wrong();
    return text.charAt(at);
  }

  private IllegalArgumentException wrong() {
    return new IllegalArgumentException("Not JSON at " + at);
  }
}
