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

    private static List<Map.Entry<Integer, Integer>> entries(PersistentMap<Integer, Integer> map) {
        List<Map.Entry<Integer, Integer>> list = new ArrayList<>();
        map.forEach(list::add);
        return list;
    }
}
