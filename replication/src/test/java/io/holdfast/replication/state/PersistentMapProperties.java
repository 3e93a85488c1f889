package io.holdfast.replication.state;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class PersistentMapProperties {
    @Test
    void behavesAsTreeMapAndOldOnesStay() {
        for (long seed = 1; seed <= 50; seed++) {
            Random random = new Random(seed);
            PersistentMap<Integer, Integer> map = PersistentMap.empty();
            TreeMap<Integer, Integer> model = new TreeMap<>();
            List<PersistentMap<Integer, Integer>> kept = new ArrayList<>();
            List<TreeMap<Integer, Integer>> keptModels = new ArrayList<>();
            for (int step = 0; step < 400; step++) {
                int key = random.nextInt(100);
                if (random.nextInt(3) == 0) {
                    map = map.without(key);
                    model.remove(key);
                } else {
                    map = map.with(key, step);
                    model.put(key, step);
                }
                if (step % 50 == 0) {
                    kept.add(map);
                    keptModels.add(new TreeMap<>(model));
                }
                assertThat(map.size()).as("seed %d step %d", seed, step).isEqualTo(model.size());
                assertThat(map.get(key).orElse(null)).isEqualTo(model.get(key));
            }
            kept.add(map);
            keptModels.add(model);
            for (int i = 0; i < kept.size(); i++) {
                assertThat(entries(kept.get(i)))
                        .as("seed %d kept %d", seed, i)
                        .isEqualTo(new ArrayList<>(keptModels.get(i).entrySet()));
            }
        }
    }

    @Test
    void aRangeAndACopyAreThoseOfATreeMap() {
        for (long seed = 1; seed <= 50; seed++) {
            Random random = new Random(seed);
            TreeMap<Integer, Integer> model = new TreeMap<>();
            PersistentMap<Integer, Integer> grown = PersistentMap.empty();
            for (int i = random.nextInt(200); i > 0; i--) {
                int key = random.nextInt(300);
                model.put(key, i);
                grown = grown.with(key, i);
            }
            PersistentMap<Integer, Integer> copied = PersistentMap.copyOf(model);
            assertThat(copied.size()).as("seed %d", seed).isEqualTo(model.size());
            assertThat(entries(copied)).as("seed %d", seed).isEqualTo(entries(grown));
            for (int first = -1; first <= 300; first++) {
                List<Map.Entry<Integer, Integer>> range =
                        new ArrayList<>(model.tailMap(first).entrySet());
                for (PersistentMap<Integer, Integer> map : List.of(copied, grown)) {
                    List<Map.Entry<Integer, Integer>> from = new ArrayList<>();
                    map.from(first).forEachRemaining(from::add);
                    assertThat(from).as("seed %d from %d", seed, first).isEqualTo(range);
                }
            }
            int key = random.nextInt(300);
            assertThat(entries(copied.with(key, 7).without(key)))
                    .as("a copy is balanced as a grown map is, seed %d", seed)
                    .isEqualTo(entries(grown.without(key)));
        }
    }

    private static List<Map.Entry<Integer, Integer>> entries(PersistentMap<Integer, Integer> map) {
        List<Map.Entry<Integer, Integer>> list = new ArrayList<>();
        map.forEach(list::add);
        return list;
    }
}
