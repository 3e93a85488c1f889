package io.holdfast.replication.state;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.SortedMap;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * An immutable sorted map whose {@link #with} and {@link #without} share all but O(log n) nodes with
 * the original: an AVL tree with copied paths. So a reader keeps a state for as long as it likes
 * while the next ones are made.
 *
 * @param <K> keys, sorted by their natural order
 * @param <V> values
 */
public final class PersistentMap<K extends Comparable<? super K>, V>
        implements Iterable<Map.Entry<K, V>> {
    private static final PersistentMap<?, ?> EMPTY = new PersistentMap<>(null, 0);

    private record Node<K, V>(
            K key, V value, @Nullable Node<K, V> left, @Nullable Node<K, V> right, int height) {}

    private final @Nullable Node<K, V> root;
    private final int size;

    private PersistentMap(@Nullable Node<K, V> root, int size) {
        this.root = root;
        this.size = size;
    }

    /** The map without entries. */
    @SuppressWarnings("unchecked")
    public static <K extends Comparable<? super K>, V> PersistentMap<K, V> empty() {
        return (PersistentMap<K, V>) EMPTY;
    }

    /** The same entries; O(n), where putting them one by one would copy O(log n) nodes for each. */
    public static <K extends Comparable<? super K>, V> PersistentMap<K, V> copyOf(
            SortedMap<K, V> sorted) {
        if (sorted.comparator() != null) {
            throw new IllegalArgumentException("the map is not in the natural order of its keys");
        }
        return new PersistentMap<>(
                built(List.copyOf(sorted.entrySet()), 0, sorted.size()), sorted.size());
    }

    private static <K, V> @Nullable Node<K, V> built(
            List<Map.Entry<K, V>> entries, int from, int to) {
        if (from == to) {
            return null;
        }
        int middle = (from + to) >>> 1;
        Map.Entry<K, V> entry = entries.get(middle);
        return node(
                entry.getKey(),
                entry.getValue(),
                built(entries, from, middle),
                built(entries, middle + 1, to));
    }

    /** How many entries there are. */
    public int size() {
        return size;
    }

    /** Whether there is none. */
    public boolean isEmpty() {
        return size == 0;
    }

    /** The value of a key. */
    public Optional<V> get(K key) {
        Node<K, V> node = root;
        while (node != null) {
            int order = key.compareTo(node.key);
            if (order == 0) {
                return Optional.of(node.value);
            }
            node = order < 0 ? node.left : node.right;
        }
        return Optional.empty();
    }

    /** Whether there is a value for a key. */
    public boolean containsKey(K key) {
        return get(key).isPresent();
    }

    /** This map with one entry put or replaced. */
    public PersistentMap<K, V> with(K key, V value) {
        return new PersistentMap<>(put(root, key, value), containsKey(key) ? size : size + 1);
    }

    /** This map without a key; the same map when it has none. */
    public PersistentMap<K, V> without(K key) {
        return containsKey(key) ? new PersistentMap<>(remove(root, key), size - 1) : this;
    }

    /** The values, by ascending key. */
    public Stream<V> values() {
        return StreamSupport.stream(spliterator(), false).map(Map.Entry::getValue);
    }

    @Override
    public Iterator<Map.Entry<K, V>> iterator() {
        Ascending<K, V> all = new Ascending<>();
        all.descend(root);
        return all;
    }

    /** The entries from a key on, that key included, ascending. */
    public Iterator<Map.Entry<K, V>> from(K first) {
        Ascending<K, V> some = new Ascending<>();
        Node<K, V> node = root;
        while (node != null) {
            if (first.compareTo(node.key) <= 0) {
                some.path.push(node);
                node = node.left;
            } else {
                node = node.right;
            }
        }
        return some;
    }

    private static <K extends Comparable<? super K>, V> Node<K, V> put(
            @Nullable Node<K, V> node, K key, V value) {
        if (node == null) {
            return new Node<>(key, value, null, null, 1);
        }
        int order = key.compareTo(node.key);
        if (order == 0) {
            return new Node<>(key, value, node.left, node.right, node.height);
        }
        return order < 0
                ? balanced(node.key, node.value, put(node.left, key, value), node.right)
                : balanced(node.key, node.value, node.left, put(node.right, key, value));
    }

    private static <K extends Comparable<? super K>, V> @Nullable Node<K, V> remove(
            @Nullable Node<K, V> node, K key) {
        if (node == null) {
            return null;
        }
        int order = key.compareTo(node.key);
        if (order < 0) {
            return balanced(node.key, node.value, remove(node.left, key), node.right);
        }
        if (order > 0) {
            return balanced(node.key, node.value, node.left, remove(node.right, key));
        }
        if (node.left == null) {
            return node.right;
        }
        if (node.right == null) {
            return node.left;
        }
        Node<K, V> next = node.right;
        while (next.left != null) {
            next = next.left;
        }
        return balanced(next.key, next.value, node.left, remove(node.right, next.key));
    }

    private static <K, V> int height(@Nullable Node<K, V> node) {
        return node == null ? 0 : node.height;
    }

    private static <K, V> Node<K, V> node(
            K key, V value, @Nullable Node<K, V> left, @Nullable Node<K, V> right) {
        return new Node<>(key, value, left, right, 1 + Math.max(height(left), height(right)));
    }

    private static <K, V> Node<K, V> balanced(
            K key, V value, @Nullable Node<K, V> left, @Nullable Node<K, V> right) {
        int lean = height(left) - height(right);
        if (lean > 1 && left != null) {
            Node<K, V> inner = left.right;
            if (inner == null || height(left.left) >= inner.height) {
                return node(left.key, left.value, left.left, node(key, value, inner, right));
            }
            return node(
                    inner.key,
                    inner.value,
                    node(left.key, left.value, left.left, inner.left),
                    node(key, value, inner.right, right));
        }
        if (lean < -1 && right != null) {
            Node<K, V> inner = right.left;
            if (inner == null || height(right.right) >= inner.height) {
                return node(right.key, right.value, node(key, value, left, inner), right.right);
            }
            return node(
                    inner.key,
                    inner.value,
                    node(key, value, left, inner.left),
                    node(right.key, right.value, inner.right, right.right));
        }
        return node(key, value, left, right);
    }

    private static final class Ascending<K, V> implements Iterator<Map.Entry<K, V>> {
        private final Deque<Node<K, V>> path = new ArrayDeque<>();

        private void descend(@Nullable Node<K, V> from) {
            for (Node<K, V> node = from; node != null; node = node.left) {
                path.push(node);
            }
        }

        @Override
        public boolean hasNext() {
            return !path.isEmpty();
        }

        @Override
        public Map.Entry<K, V> next() {
            if (path.isEmpty()) {
                throw new NoSuchElementException("no more entries");
            }
            Node<K, V> node = path.pop();
            descend(node.right);
            return Map.entry(node.key, node.value);
        }
    }
}
