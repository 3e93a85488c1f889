package io.holdfast.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What the command does without any cluster: parsing, help, messages, exit codes. */
class OfflineCommandTest {
    @TempDir Path temp;

    private record Result(int code, String out, String err) {}

    private static Result holdfast(String... args) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int code = HoldfastCommand.run(new PrintWriter(out), new PrintWriter(err), args);
        return new Result(code, out.toString(), err.toString());
    }

    @Test
    void everyCommandHasHelpWithAnExample() {
        List<String> commands = new ArrayList<>();
        names("", HoldfastCommand.line(), commands);
        assertThat(commands).contains("", "init", "client add", "identifier rewrite");
        for (String command : commands) {
            Result r = holdfast((command + " --help").strip().split(" "));
            assertThat(r.code()).as(command).isZero();
            assertThat(r.out()).as(command).contains("Example: holdfast " + command);
            assertThat(r.err()).as(command).isEmpty();
        }
    }

    /** ops/adr/0007: what these two print is their log, until they are told to stop. */
    @Test
    void everyCommandThatEndsByItselfTakesJson() {
        List<String> without = new ArrayList<>();
        withoutJson("", HoldfastCommand.line(), without);
        assertThat(without).containsExactlyInAnyOrder("server", "agent");
    }

    private static void withoutJson(String command, CommandLine line, List<String> into) {
        if (line.getSubcommands().isEmpty() && line.getCommandSpec().findOption("--json") == null) {
            into.add(command);
        }
        line.getSubcommands()
                .forEach((name, below) -> withoutJson((command + " " + name).strip(), below, into));
    }

    private static void names(String command, CommandLine line, List<String> into) {
        into.add(command);
        line.getSubcommands()
                .forEach((name, below) -> names((command + " " + name).strip(), below, into));
    }

    /** Nobody runs. A lost promise may have been counted by whoever does not answer. */
    @Test
    void readmitNamesWhomItMissesOfTheSite() throws Exception {
        Path cluster = temp.resolve("cluster");
        Path passphrase = Files.writeString(temp.resolve("pass.txt"), "correct horse\n");
        String[] hosts = {
            "--local", "127.10.11.44,127.10.11.46,127.10.11.47",
            "--dr", "127.50.4.4,127.50.4.5,127.50.4.6"
        };
        List<String> init = new ArrayList<>(List.of("init", cluster.toString(), "--name", "acme"));
        init.addAll(List.of("--profile", "p2", "--passphrase-file", passphrase.toString()));
        init.addAll(List.of(hosts));
        Result made = holdfast(init.toArray(String[]::new));
        assertThat(made.code()).as(made.err()).isZero();
        List<String> readmit =
                List.of(
                        "readmit",
                        "--context",
                        cluster.resolve("operator/context.json").toString(),
                        "--config",
                        cluster.resolve("nodes/d2/node.yml").toString());
        Result alone = with(readmit);
        assertThat(alone.code()).as(alone.err()).isEqualTo(3);
        assertThat(alone.err())
                .contains("Node d2 is not readmitted")
                .contains("does not answer, and may have counted the lost promise")
                .contains("if its disk is lost, too, add --lost ");
        Result others = with(readmit, "--lost", "d1", "--lost", "d3");
        assertThat(others.code()).as(others.err()).isEqualTo(3);
        assertThat(others.err()).contains("no node leads an active site");
        for (String stranger : List.of("l1", "d2", "d9")) {
            Result unknown = with(readmit, "--lost", "d1", "--lost", "d3", "--lost", stranger);
            assertThat(unknown.code()).as(unknown.err()).isEqualTo(2);
            assertThat(unknown.err())
                    .contains("--lost " + stranger + ": the context lists no such other node");
        }
    }

    private static Result with(List<String> command, String... more) {
        List<String> all = new ArrayList<>(command);
        all.addAll(List.of(more));
        return holdfast(all.toArray(String[]::new));
    }

    @Test
    void usageMistakesEndWithTwo() {
        for (String[] args :
                new String[][] {
                    {},
                    {"bakcup"},
                    {"backup"},
                    {"backup", "a", "b"},
                    {"restore", "not-a-uuid", "--to", "c", "--target", "/t"},
                    {"client"},
                    {"client", "add", "x"},
                    {"status", "--nonsense"},
                    {"status", "--context", "/nowhere/context.json"},
                    {"identifier", "parse", "nonsense"},
                    {"server", "--config", "/nowhere/node.yml"},
                    {"agent", "--config", "/nowhere/agent.json"},
                    {
                        "init",
                        temp.resolve("c").toString(),
                        "--name",
                        "x",
                        "--profile",
                        "p9",
                        "--passphrase-file",
                        "/nowhere"
                    }
                }) {
            Result r = holdfast(args);
            assertThat(r.code()).as(String.join(" ", args) + ": " + r.err()).isEqualTo(2);
            assertThat(r.err()).isNotBlank().doesNotContain("Exception");
            assertThat(r.out()).isEmpty();
        }
        assertThat(holdfast("status", "--context", "/nowhere/context.json").err())
                .isEqualTo(
                        "There is no operator's context at /nowhere/context.json.\n"
                                + "Name the one that init wrote: --context"
                                + " DIR/operator/context.json.\n");
    }

    @Test
    void identifiersAreTakenApart() throws Exception {
        String id = "127.10.11.44:6543?WRITE:IP:127.10.11.45,dedupe?/mtree/backup/x";
        Result r = holdfast("identifier", "parse", id);
        assertThat(r.code()).isZero();
        assertThat(r.out()).contains("method    WRITE", "param     IP = 127.10.11.45", "dedupe");
        Result json = holdfast("identifier", "parse", id, "--json");
        assertThat(new ObjectMapper().readTree(json.out()).get("canonical").asText()).isEqualTo(id);
    }

    @Test
    void theWorkedExampleIsRewrittenOffline() throws Exception {
        Path rows =
                Files.writeString(
                        temp.resolve("rows"),
                        "# local remote\n127.10.11.44:6543 -> 127.50.4.4:3456\n\n"
                                + "127.10.11.45 127.50.4.4\n");
        Result r =
                holdfast(
                        "identifier",
                        "rewrite",
                        "127.10.11.44:6543?WRITE:IP:127.10.11.45,dedupe?/mtree/backup/x",
                        "--replication",
                        rows.toString());
        assertThat(r.code()).as(r.err()).isZero();
        assertThat(r.out())
                .contains("physical  127.50.4.4:3456?WRITE:IP:127.50.4.4,dedupe?/mtree/backup/x");
        r =
                holdfast(
                        "identifier",
                        "rewrite",
                        "127.10.11.4:6543?READ?/x",
                        "--replication",
                        rows.toString(),
                        "--json");
        assertThat(r.code()).isEqualTo(ExitCode.REFUSED);
        assertThat(r.out()).contains("127.10.11.4");
        Files.writeString(rows, "a b c\n");
        r = holdfast("identifier", "rewrite", "h:1?READ?/x", "--replication", rows.toString());
        assertThat(r.code()).isEqualTo(ExitCode.USAGE);
        assertThat(r.err()).contains("rows:1:");
    }

    @Test
    void initRefusesAFolderWithContentAndAShortPassphrase() throws Exception {
        Path file = Files.writeString(temp.resolve("p"), "long enough\n");
        Files.writeString(Files.createDirectory(temp.resolve("full")).resolve("x"), "x");
        Result r =
                holdfast(
                        "init",
                        temp.resolve("full").toString(),
                        "--name",
                        "x",
                        "--passphrase-file",
                        file.toString());
        assertThat(r.code()).isEqualTo(ExitCode.FAILED);
        assertThat(r.err()).contains("is not empty");
        assertThat(temp.resolve("full/x")).exists();
        Files.writeString(file, "short\n");
        r =
                holdfast(
                        "init",
                        temp.resolve("new").toString(),
                        "--name",
                        "x",
                        "--passphrase-file",
                        file.toString());
        assertThat(r.code()).isEqualTo(ExitCode.USAGE);
        assertThat(temp.resolve("new")).doesNotExist();
    }
}
