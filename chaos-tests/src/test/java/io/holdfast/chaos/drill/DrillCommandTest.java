package io.holdfast.chaos.drill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.holdfast.node.cli.ExitCode;
import io.holdfast.node.cli.HoldfastCommand;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What keeps a drill from beginning; none begins here. */
class DrillCommandTest {
    @TempDir Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int drill(String... args) {
        String[] all = new String[args.length + 1];
        all[0] = "drill";
        System.arraycopy(args, 0, all, 1, args.length);
        return HoldfastCommand.run(new PrintWriter(out), new PrintWriter(err), all);
    }

    /** The whole of stdout as one object, of a drill that was not. */
    private String errorInJson() throws IOException {
        JsonNode json = new ObjectMapper().readTree(out.toString());
        assertThat(json.get("ok").booleanValue()).isFalse();
        assertThat(json.get("phases")).isEmpty();
        return json.get("error").textValue();
    }

    @Test
    void anUnknownProfileIsUsage() {
        assertThat(drill(folder.toString(), "--profile", "x")).isEqualTo(ExitCode.USAGE);
        assertThat(err.toString())
                .contains("Unknown profile 'x'", "p2-small, p2, p3-small or p3", "--help");
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void anUnknownProfileIsUsageInJsonToo() throws Exception {
        assertThat(drill(folder.toString(), "--profile", "x", "--json")).isEqualTo(ExitCode.USAGE);
        assertThat(errorInJson()).contains("Unknown profile 'x'");
    }

    @Test
    void aMissingFolderAndAFileAreUsage() throws Exception {
        Path file = Files.writeString(folder.resolve("file"), "text");
        assertThat(drill(folder.resolve("missing").toString())).isEqualTo(ExitCode.USAGE);
        assertThat(drill(file.toString(), "--json")).isEqualTo(ExitCode.USAGE);
        assertThat(errorInJson()).contains("No such folder: " + file);
    }

    @Test
    void addressesThatAreTakenAreToldInJson() throws Exception {
        try (ServerSocket taken = new ServerSocket()) {
            // The witness's: nobody else's drill is in the way, and none is kept from beginning.
            taken.bind(new InetSocketAddress("127.90.0.9", 9873));
            assertThat(drill(folder.toString(), "--profile", "p3-small", "--json"))
                    .isEqualTo(ExitCode.FAILED);
        }
        assertThat(errorInJson()).contains("127.90.0.9:9873");
        assertThat(err.toString()).contains("127.90.0.9:9873");
    }

    @Test
    void withoutAFolderTheCheckoutIsProtectedWhereverThisRuns() {
        assertThat(DrillCommand.source(null, folder.toString())).isEqualTo(folder);
        assertThat(DrillCommand.source(Path.of("/"), folder.toString())).isEqualTo(Path.of("/"));
        assertThatThrownBy(() -> DrillCommand.source(null, ""))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void itHasHelpWithAnExample() {
        assertThat(drill("--help")).isZero();
        assertThat(out.toString()).contains("Example: holdfast drill");
        assertThat(err.toString()).isEmpty();
    }
}
