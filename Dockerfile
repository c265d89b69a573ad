# One image for every process of the mesh; the command says which. It holds what requirements/mesh.txt locks, no more.
FROM python:3.12-slim

RUN useradd --create-home --uid 10001 bowline
WORKDIR /bowline

# The requirements first: they change less often than the code, and their layer is kept.
COPY requirements/mesh.txt requirements/mesh.txt
RUN pip install --no-cache-dir --no-deps --require-hashes --only-binary :all: -r requirements/mesh.txt

COPY proto proto
COPY shared shared
COPY services services
COPY config config

USER bowline
ENTRYPOINT ["python", "-c", "import sys; from services import cli; sys.exit(cli.main())"]
CMD ["config", "check"]
