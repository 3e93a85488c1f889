package io.holdfast.chaos.workload;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.chaos.compare.Difference;
import io.holdfast.chaos.compare.TreeComparer;
import io.holdfast.chaos.compare.TreeDigest;
import io.holdfast.chaos.workload.TreeChanges.Change;
import io.holdfast.chaos.workload.TreeChanges.Kind;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TreeChangesTest {
    @TempDir Path folder;

    private Path tree(String name) throws Exception {
        Path root = Files.createDirectories(folder.resolve(name));
        for (int i = 0; i < 60; i++) {
            Path file = root.resolve("d" + i % 7).resolve("f" + i);
            Files.createDirectories(file.getParent());
            Files.write(file, new byte[100 + i]);
        }
        return root;
    }

    @Test
    void everyKindHappensAndTheComparerSeesIt() throws Exception {
        Path root = tree("one");
        TreeDigest before = TreeDigest.of(root);
        List<Change> done = new TreeChanges(root, "day-1", 7).apply(10);
        assertThat(done).extracting(Change::kind).contains(Kind.values());
        List<Difference> found =
                new TreeComparer(0, 0).compare(before, TreeDigest.of(root)).differences();
        assertThat(found)
                .extracting(Difference::kind)
                .contains(
                        Difference.Kind.CONTENT,
                        Difference.Kind.MISSING,
                        Difference.Kind.EXTRA,
                        Difference.Kind.MTIME,
                        Difference.Kind.HARD_LINK);
        assertThat(TreeChanges.summary(done)).contains("1 hard-linked", "edited");
    }

    @Test
    void theSameSeedDoesTheSame() throws Exception {
        List<Change> one = new TreeChanges(tree("one"), "day-1", 42).apply(10);
        List<Change> two = new TreeChanges(tree("two"), "day-1", 42).apply(10);
        assertThat(one).isEqualTo(two);
    }

    @Test
    void aNearlyEmptyTreeIsEnough() throws Exception {
        Path root = Files.createDirectories(folder.resolve("empty"));
        new TreeChanges(root, "day-1", 1).apply(10);
        new TreeChanges(root, "day-2", 2).apply(10);
        assertThat(TreeDigest.of(root).files()).isGreaterThan(1);
    }

    @Test
    void randomFilesHaveTheSizeAskedAndDoNotRepeat() throws Exception {
        Path file = folder.resolve("random");
        TreeChanges.writeRandom(file, 2_500_000, 5);
        byte[] bytes = Files.readAllBytes(file);
        assertThat(bytes).hasSize(2_500_000);
        assertThat(java.util.Arrays.mismatch(bytes, 0, 1000, bytes, 1 << 20, (1 << 20) + 1000))
                .isLessThan(8);
    }
}
