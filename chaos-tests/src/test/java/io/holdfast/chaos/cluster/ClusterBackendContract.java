package io.holdfast.chaos.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.chaos.cluster.ClusterBackend.Machine;
import io.holdfast.chaos.fault.FaultUnavailable;
import io.holdfast.chaos.fault.Required;
import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What every {@link ClusterBackend} does, shown with a small program instead of a server. */
abstract class ClusterBackendContract {
    private static final long PATIENCE_SECONDS = 60;
    private static final String A = "10.10.11.44";
    private static final String B = "10.50.4.4";
    private static final String C = "10.10.11.46";
    private static final Duration ONE_WAY = Duration.ofMillis(40);
    private static final Duration SHORT = Duration.ofMillis(20);
    private static final int POURED = 8 << 20;

    @TempDir Path folder;

    private ClusterBackend backend;

    /** A backend of the kind that is tested. */
    abstract ClusterBackend create(Path work) throws IOException, FaultUnavailable;

    @BeforeEach
    void twoMachines() throws Exception {
        backend = Required.orSkip(() -> create(folder));
        backend.add(machine("a", List.of(A, "10.10.11.45")));
        backend.add(machine("b", List.of(B)));
    }

    @AfterEach
    void takeThemAway() throws Exception {
        if (backend != null) {
            backend.close();
        }
    }

    private Machine machine(String name, List<String> addresses) throws IOException {
        Path disk = Files.createDirectories(folder.resolve("disks").resolve(name));
        return new Machine(name, addresses, disk, java("serve", "0.0.0.0", heard(name).toString()));
    }

    private Path heard(String name) {
        return folder.resolve("heard-" + name);
    }

    private static List<String> java(String... args) {
        List<String> all =
                new ArrayList<>(
                        List.of(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-Xshare:auto",
                                "-XX:TieredStopAtLevel=1",
                                "-cp",
                                System.getProperty("java.class.path"),
                                Probe.class.getName()));
        all.addAll(List.of(args));
        return all;
    }

    private void start() throws Exception {
        backend.start(List.of("a", "b"));
        await(() -> calls("b", A) && calls("a", B));
    }

    private boolean calls(String from, String address) throws Exception {
        return said(backend.beside(from, java("call", address))).equals("answered");
    }

    private static String said(Process process) throws Exception {
        String said =
                new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        assertThat(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
        return said;
    }

    private static void await(Callable<Boolean> wish) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (!wish.call()) {
            assertThat(System.nanoTime()).as("waited in vain").isLessThan(end);
            Thread.sleep(20);
        }
    }

    @Test
    void machinesReachEachOtherUntilTheyAreParted() throws Exception {
        start();
        assertThat(calls("b", "10.10.11.45")).as("a second address").isTrue();
        backend.partition(List.of("a"), List.of("b"));
        assertThat(calls("a", B)).isFalse();
        assertThat(calls("b", A)).isFalse();
        assertThat(said(backend.atDesk(java("call", A)))).as("the desk").isEqualTo("answered");
        assertThat(backend.heal()).as("packets dropped").isPositive();
        assertThat(calls("a", B)).isTrue();
        assertThat(calls("b", A)).isTrue();
        assertThat(backend.heal()).as("nothing is cut any more").isZero();
    }

    @Test
    void aCutInOneDirectionLeavesTheOther() throws Exception {
        start();
        backend.cut("a", "b");
        said(backend.beside("b", java("shout", A)));
        await(() -> Files.exists(heard("a")));
        said(backend.beside("a", java("shout", B)));
        assertThat(heard("b")).doesNotExist();
        assertThat(backend.heal()).isPositive();
        said(backend.beside("a", java("shout", B)));
        await(() -> Files.exists(heard("b")));
    }

    /**
     * Two machines at one site and one at the other. What is held back is only what goes from site to
     * site, and a line that is long is still a broad one: a few megabytes take a few round trips.
     */
    @Test
    void aLongLineBetweenTheSitesAndAShortOneInside() throws Exception {
        backend.add(machine("c", List.of(C)));
        start();
        backend.start(List.of("c"));
        await(() -> calls("c", A));
        assertThat(roundTrip("c", A).median()).as("before").isLessThan(SHORT);
        Required.orSkip(() -> {
            backend.delay(List.of("a", "c"), List.of("b"), ONE_WAY);
            return true;
        });
        for (String address : List.of(A, "10.10.11.45", C)) {
            assertAsLongAsSaid(roundTrip("b", address));
        }
        assertAsLongAsSaid(roundTrip("a", B));
        assertThat(roundTrip("a", C).median()).as("inside the site").isLessThan(SHORT);
        assertThat(roundTrip("c", "10.10.11.45").median()).isLessThan(SHORT);
        assertThat(fastest(backend.atDesk(java("time", B))).median())
                .as("the desk")
                .isLessThan(SHORT);
        pours("a", B);
        pours("b", A);
        assertThat(backend.heal()).as("nothing was dropped").isZero();
        assertThat(roundTrip("b", A).median()).as("after").isLessThan(SHORT);
    }

    @Test
    void aLongLineIsCutAsAnyOther() throws Exception {
        start();
        Required.orSkip(() -> {
            backend.delay(List.of("a"), List.of("b"), ONE_WAY);
            return true;
        });
        assertThat(calls("b", A)).isTrue();
        backend.partition(List.of("a"), List.of("b"));
        assertThat(calls("b", A)).isFalse();
        assertThat(backend.heal()).isPositive();
        assertThat(calls("b", A)).isTrue();
    }

    /** How long connections took to be made. */
    private record Took(Duration least, Duration median) {}

    private Took roundTrip(String from, String address) throws Exception {
        return fastest(backend.beside(from, java("time", address)));
    }

    private static Took fastest(Process probe) throws Exception {
        String[] micros = said(probe).split(" ");
        return new Took(micros(micros[0]), micros(micros[1]));
    }

    private static Duration micros(String number) {
        return Duration.of(Long.parseLong(number), ChronoUnit.MICROS);
    }

    private static void assertAsLongAsSaid(Took took) {
        assertThat(took.least()).isGreaterThanOrEqualTo(ONE_WAY.multipliedBy(2));
        assertThat(took.median()).isLessThan(ONE_WAY.multipliedBy(2).plus(SHORT));
    }

    private void pours(String from, String address) throws Exception {
        String[] poured =
                said(backend.beside(from, java("pour", address, Integer.toString(POURED))))
                        .split(" ");
        assertThat(poured[0]).isEqualTo(Integer.toString(POURED));
        System.out.println("poured " + POURED + " bytes in " + poured[1] + " us");
        assertThat(micros(poured[1])).isBetween(ONE_WAY.multipliedBy(4), Duration.ofSeconds(8));
    }

    /** Looks, and does not call: outside its namespaces that address may be somebody's. */
    @Test
    void theAddressesOfTheClusterAreNotThisMachines() throws Exception {
        start();
        assertThat(NetworkInterface.getByInetAddress(InetAddress.getByName(A))).isNull();
        assertThat(calls("b", A)).isTrue();
    }

    @Test
    void aProgramThatEndsByItselfIsStartedAgainAndOneThatWasKilledIsNot() throws Exception {
        start();
        said(
                backend.beside(
                        "b", List.of("bash", "-c", "printf x > /dev/tcp/" + A + "/" + Probe.PORT)));
        await(() -> backend.endings("a").size() == 1);
        assertThat(backend.endings("a").getFirst().exit()).isEqualTo(70);
        await(() -> calls("b", A));
        backend.kill(List.of("a"));
        assertThat(backend.isAlive("a")).isFalse();
        Thread.sleep(1500); // longer than a supervisor waits
        assertThat(backend.isAlive("a")).isFalse();
        assertThat(backend.endings("a")).hasSize(1);
        backend.start(List.of("a"));
        await(() -> calls("b", A));
    }

    @Test
    void aPausedProgramIsSilentAndGoesOn() throws Exception {
        start();
        backend.pause(List.of("a"));
        assertThat(calls("b", A)).isFalse();
        assertThat(backend.isAlive("a")).isTrue();
        backend.resume(List.of("a"));
        assertThat(calls("b", A)).isTrue();
        assertThat(backend.endings("a")).isEmpty();
    }

    @Test
    void aDiskThatIsLimitedFillsUpAndADiskIsWiped() throws Exception {
        Path disk = folder.resolve("disks").resolve("a");
        Files.createDirectories(disk.resolve("deep"));
        Files.writeString(disk.resolve("deep").resolve("file"), "text");
        Required.orSkip(() -> {
            backend.limitDisk("a", 1 << 20);
            return true;
        });
        assertThat(disk.resolve("deep").resolve("file")).hasContent("text");
        backend.fill("a", 0);
        assertThatThrownBy(() -> Files.write(disk.resolve("more"), new byte[100_000]))
                .hasMessageContaining("No space left");
        backend.free("a");
        Files.write(disk.resolve("more"), new byte[100_000]);
        backend.wipe("a");
        assertThat(disk).isEmptyDirectory();
    }

    @Test
    void aClockOfItsOwn() throws Exception {
        Required.orSkip(() -> {
            backend.ownClock("a");
            return true;
        });
        start();
        assertThat(skewSeconds(A)).isBetween(-60L, 60L);
        backend.clock("a", Duration.ofHours(5));
        assertThat(skewSeconds(A)).isBetween(5 * 3600L - 60, 5 * 3600L + 60);
        assertThat(skewSeconds(B)).isBetween(-60L, 60L);
    }

    private long skewSeconds(String address) throws Exception {
        String time =
                said(
                        backend.atDesk(
                                List.of(
                                        "bash",
                                        "-c",
                                        "exec 3<>/dev/tcp/"
                                                + address
                                                + "/"
                                                + Probe.PORT
                                                + "; printf '?' >&3; cat <&3")));
        return Long.parseLong(time) - System.currentTimeMillis() / 1000;
    }

    @Test
    void closingEndsEveryProgramAlsoWhatStandsStill() throws Exception {
        start();
        backend.pause(List.of("a"));
        Process guest = backend.beside("b", List.of("sleep", "600"));
        backend.close();
        assertThat(backend.isAlive("a")).isFalse();
        assertThat(backend.isAlive("b")).isFalse();
        assertThat(guest.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
    }
}
