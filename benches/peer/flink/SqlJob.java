import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.table.api.TableResult;

/** Runs the statements of a file on a Flink within this process, and waits for the last: what Flink's SQL client does, which is not on Maven Central. */
public class SqlJob {
    private static final Pattern SET = Pattern.compile("SET\\s+'([^']*)'\\s*=\\s*'([^']*)'");

    public static void main(String[] arguments) throws Exception {
        TableEnvironment environment = TableEnvironment.create(EnvironmentSettings.inStreamingMode());
        String text = Files.readString(Path.of(arguments[0])).replaceAll("(?m)^--.*$", "");
        TableResult last = null;
        for (String statement : text.split(";\\s*(\\n|$)")) {
            String sql = statement.strip();
            Matcher setting = SET.matcher(sql);
            if (setting.matches()) {
                environment.getConfig().set(setting.group(1), setting.group(2));
            } else if (!sql.isEmpty()) {
                last = environment.executeSql(sql);
            }
        }
        if (last != null) {
            last.await();
        }
    }
}
