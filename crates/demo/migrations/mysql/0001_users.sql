-- Compared byte by byte, as the other databases do: by default Ann@example.com would be ann@example.com.
CREATE TABLE users (
    id BIGINT AUTO_INCREMENT PRIMARY KEY,
    name VARCHAR(100) NOT NULL,
    email VARCHAR(254) NOT NULL UNIQUE
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
