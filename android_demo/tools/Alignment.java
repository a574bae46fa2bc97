import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;

/** java Alignment.java LIBRARY...: fails unless every loadable segment is aligned to 16 KiB, as devices with such pages need. */
public class Alignment {
    static final int LOAD = 1, PAGE_BYTES = 16384;

    public static void main(String[] libraries) throws Exception {
        for (String library : libraries) {
            ByteBuffer elf = ByteBuffer.wrap(Files.readAllBytes(Path.of(library))).order(ByteOrder.LITTLE_ENDIAN);
            int headers = (int) elf.getLong(32), size = elf.getShort(54), count = elf.getShort(56);
            for (int i = 0; i < count; i++) {
                int place = headers + i * size;
                if (elf.getInt(place) == LOAD && elf.getLong(place + 48) % PAGE_BYTES != 0) {
                    System.err.println(library + " is aligned to " + elf.getLong(place + 48) + " bytes, not to " + PAGE_BYTES);
                    System.exit(1);
                }
            }
        }
    }
}
